"""The database refuses what must not be: every table, as the application's own role."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from billing.people.tables import Authority, School
from service.database import EVERYTHING, NOTHING, Database, Scope, libpq_url, metadata
from service.guards import NARROWED, OWN_POLICY, WITHOUT_SCHOOL_POLICY, WRITTEN_ONCE
from service.preparing import GROUP_ROLES, Addresses, check_shape


def make_school(database: Database, code: str) -> School:
    with database.transaction(EVERYTHING) as session:
        province = Authority(kind="province", code=f"P{code}", name="Tỉnh thử")
        session.add(province)
        session.flush()
        school = School(
            province_id=province.id, authority_id=province.id, code=code, name=f"Trường {code}", kind="public",
            levels=["primary"], address="", phone="",
        )  # fmt: skip
        session.add(school)
    return school


def test_the_application_is_neither_owner_nor_superuser(database: Database) -> None:
    with database.transaction(NOTHING) as session:
        role = session.execute(
            text("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"),
        ).one()
        owned = session.execute(
            text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user"),
        ).scalar_one()
    assert tuple(role) == (False, False, False)
    assert owned == 0


def test_no_owner_of_a_table_is_a_superuser(database: Database) -> None:
    with database.transaction(NOTHING) as session:
        owners = session.execute(
            text(
                "SELECT DISTINCT r.rolsuper OR r.rolbypassrls FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner "
                "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace",
            ),
        ).scalars()
        assert list(owners) == [False]


def test_every_table_has_a_forced_policy_or_a_listed_reason(database: Database) -> None:
    """One policy opens a table (*in_scope*, for all commands); any other can only narrow it, and is listed."""
    with database.transaction(NOTHING) as session:
        rows = session.execute(
            text(
                "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, "
                "ARRAY(SELECT CAST(p.polname AS text) || CAST(p.polcmd AS text) FROM pg_policy p "
                "WHERE p.polrelid = c.oid AND p.polpermissive) "
                "FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace",
            ),
        ).all()
        narrowing = session.execute(
            text(
                "SELECT c.relname, array_agg(CAST(p.polname AS text) ORDER BY p.polname) FROM pg_policy p "
                "JOIN pg_class c ON c.oid = p.polrelid WHERE NOT p.polpermissive GROUP BY 1",
            ),
        ).all()
    guarded = {name for name, forced, opening in rows if forced and opening == ["in_scope*"]}
    assert all(opening in ([], ["in_scope*"]) for _, _, opening in rows)
    assert {name: tuple(policies) for name, policies in narrowing} == NARROWED
    assert {name for name, _, _ in rows} - guarded == set(WITHOUT_SCHOOL_POLICY)
    with_school = {table.name for table in metadata().sorted_tables if "school_id" in table.columns}
    assert with_school - set(WITHOUT_SCHOOL_POLICY) == guarded - set(OWN_POLICY)


def test_foreign_keys_between_tenant_tables_carry_the_school() -> None:
    tenant = {table.name for table in metadata().sorted_tables} - set(WITHOUT_SCHOOL_POLICY) - set(OWN_POLICY)
    loose = [
        f"{table.name}.{key.column_keys}"
        for table in metadata().sorted_tables
        if table.name in tenant
        for key in table.foreign_key_constraints
        if key.referred_table.name in tenant
        and "school_id" not in key.column_keys
        # A second, single key beside the composite one is harmless.
        and not any(
            set(key.column_keys) < set(other.column_keys) for other in table.foreign_key_constraints if other is not key
        )
    ]
    assert loose == []


def test_without_a_scope_no_school_is_seen(database: Database) -> None:
    make_school(database, "A")
    with database.transaction(NOTHING) as session:
        assert session.execute(text("SELECT count(*) FROM schools")).scalar_one() == 0


def test_a_school_sees_itself_and_not_the_other(database: Database) -> None:
    first, second = make_school(database, "A"), make_school(database, "B")
    with database.transaction(Scope.of(first.id)) as session:
        assert session.execute(text("SELECT id FROM schools")).scalars().all() == [first.id]
    with database.transaction(Scope.of(first.id, second.id)) as session:
        assert session.execute(text("SELECT count(*) FROM schools")).scalar_one() == 2


# A value for each type of column, another for each of two rows; what two rows may share is the same.
PLANTED = {
    "uuid": "gen_random_uuid()",
    "text": "'{n}'",
    "character varying": "'{n}'",
    "boolean": "false",
    "bytea": "'\\x0{n}'",
    "jsonb": "'{{}}'",
    "date": "DATE '2025-10-06' + {n}",
    "timestamp with time zone": "now()",
    "ARRAY": "'{{}}'",
}
NUMBERS = {"bigint", "integer", "smallint", "numeric"}


def key_of(table: str) -> str:
    """Return the column that holds the school."""
    return "id" if table == "schools" else "school_id"


def plant(connection: psycopg.Connection[Any], table: str, school: UUID, number: int) -> None:
    """Write a row of a school into a table whose rules were taken away: its key, and something in all that must be."""
    columns = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' "
        "AND table_name = %s AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' "
        "AND is_generated = 'NEVER' AND column_name <> %s",
        [table, key := key_of(table)],
    ).fetchall()
    values = {name: str(number) if kind in NUMBERS else PLANTED[kind].format(n=number) for name, kind in columns} | {
        key: f"'{school}'"
    }
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})".encode())  # noqa: S608  ours


def become(connection: psycopg.Connection[Any], role: str) -> None:
    """Go on as a role, given as SQL, until the transaction ends."""
    connection.execute(f"SELECT set_config('role', {role}, true)".encode())


def without_rules(connection: psycopg.Connection[Any], table: str) -> None:
    """Take away a table's checks, foreign keys and triggers: it shall only hold a row of anything."""
    rules = connection.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = CAST(%s AS regclass) AND contype IN ('c', 'f')", [table]
    )
    for (name,) in rules.fetchall():
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}" CASCADE'.encode())
    connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())


def test_in_every_table_a_school_sees_and_writes_its_own_rows_alone(addresses: Addresses) -> None:
    tables = sorted({table.name for table in metadata().sorted_tables} - set(WITHOUT_SCHOOL_POLICY) - set(OWN_POLICY))
    tables.append("schools")
    first, second = uuid4(), uuid4()
    with psycopg.connect(libpq_url(addresses.owner)) as connection:
        connection.execute("SELECT set_config('app.schools', '*', false)")
        become(connection, "(SELECT tableowner FROM pg_tables WHERE tablename = 'schools')")
        for table in tables:
            without_rules(connection, table)
        for table in tables:
            plant(connection, table, first, 1)
            plant(connection, table, second, 2)
        connection.execute("RESET ROLE")
        connection.execute("GRANT hocphi_app TO CURRENT_USER")  # an owner who is no superuser is no member
        become(connection, "'hocphi_app'")
        for scope, seen in (("", []), (str(first), [first]), (str(second), [second])):
            connection.execute("SELECT set_config('app.schools', %s, false)", [scope])
            for table in tables:
                rows = connection.execute(f"SELECT {key_of(table)} FROM {table}".encode()).fetchall()  # noqa: S608  ours
                assert [row[0] for row in rows] == seen, table
        for table in tables:  # still as the second school
            foreign = f"INSERT INTO {table} ({key_of(table)}) VALUES ('{first}')".encode()  # noqa: S608  as above
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(foreign)
        connection.rollback()  # the database is as it was


def test_a_school_cannot_write_into_another(database: Database) -> None:
    first, second = make_school(database, "A"), make_school(database, "B")
    statement = text(
        "INSERT INTO events (school_id, kind, subject_id, facts, occurred_at) "
        "VALUES (:school, 'x', gen_random_uuid(), '{}', now())",
    )
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        database.transaction(Scope.of(first.id)) as session,
    ):
        session.execute(statement, {"school": second.id})


def test_the_scope_ends_with_the_transaction(database: Database) -> None:
    make_school(database, "A")
    for _ in range(20):  # every connection of the pool has served a wide scope before
        with database.transaction(EVERYTHING) as session:
            assert session.execute(text("SELECT count(*) FROM schools")).scalar_one() == 1
        with database.transaction(NOTHING) as session:
            assert session.execute(text("SELECT count(*) FROM schools")).scalar_one() == 0


@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_rows_written_once_refuse_change(database: Database, statement: str) -> None:
    for table in WRITTEN_ONCE:
        column = list(metadata().tables[table].columns)[-1].name  # not the identity
        with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(EVERYTHING) as session:
            session.execute(text(statement.format(table, column, column)))


def test_no_role_may_change_a_row_written_once_in_any_column_or_delete_anywhere(database: Database) -> None:
    """For every role that logs in or reads reports, so that no grant of a later migration slips by."""
    query = text(
        "SELECT c.relname, r.rolname, has_any_column_privilege(r.oid, c.oid, 'UPDATE'), "
        "has_table_privilege(r.oid, c.oid, 'DELETE') OR has_table_privilege(r.oid, c.oid, 'TRUNCATE') "
        "FROM pg_class c CROSS JOIN pg_roles r "
        "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND r.rolname = ANY(:roles)"
    )
    with database.transaction(NOTHING) as session:
        rights = session.execute(query, {"roles": list(GROUP_ROLES)}).all()
    assert {role for _, role, _, _ in rights} == set(GROUP_ROLES)
    assert [(table, role) for table, role, changes, _ in rights if changes and table in WRITTEN_ONCE] == []
    assert [(table, role) for table, role, _, deletes in rights if deletes] == []


def test_every_table_written_once_has_its_triggers(database: Database) -> None:
    query = text("SELECT tgname FROM pg_trigger WHERE tgrelid = CAST(:table AS regclass) AND NOT tgisinternal")
    for table in WRITTEN_ONCE:
        with database.transaction(NOTHING) as session:
            assert {"written_once", "never_emptied"} <= set(session.execute(query, {"table": table}).scalars())


def test_even_the_owner_cannot_change_a_row_written_once(database: Database, addresses: Addresses) -> None:
    school = make_school(database, "A")
    with database.transaction(Scope.of(school.id)) as session:
        session.execute(
            text(
                "INSERT INTO journal_entries (school_id, kind, source_id, value_date, recorded_at, note) "
                "VALUES (:school, 'test', '1', :day, :now, '')",
            ),
            {"school": school.id, "day": date(2025, 10, 6), "now": datetime.now().astimezone()},
        )
    with psycopg.connect(libpq_url(addresses.owner), autocommit=True) as connection:
        connection.execute(
            "SELECT set_config('app.schools', '*', false)"
        )  # an owner who is no superuser sees no row else
        for statement in ("UPDATE journal_entries SET note = 'x'", "DELETE FROM journal_entries", "TRUNCATE seals"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="written once"):
                connection.execute(statement)


def test_the_door_can_only_put_messages_into_the_inbox(addresses: Addresses) -> None:
    with psycopg.connect(libpq_url(addresses.door), autocommit=True) as connection:
        for table in metadata().sorted_tables:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {table.name}".encode())  # noqa: S608  names are ours
            if table.name != "inbox":
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"INSERT INTO {table.name} DEFAULT VALUES".encode())
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute(
                "INSERT INTO inbox (feed_id, digest, body_sealed, headers, received_at) "
                "VALUES (gen_random_uuid(), '\\x00', '\\x00', '{}', now())",
            )


def test_the_shape_of_the_tables_is_what_the_code_says(addresses: Addresses) -> None:
    check_shape(addresses.owner)
