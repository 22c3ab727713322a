#!/bin/sh
# Install the locked packages into .venv:  tools/install.sh PYTHON run|dev
# By uv if there is one, else by venv and pip; every package is checked against its hash, and compiled once, since
# each of our programs would do it again where bytecode may not be written at run time. A stamp per lock makes the
# second call instant; a changed lock or another Python installs again. Several calls at once wait for each other.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'hocphi: %s\n' "$*" >&2; }
[ $# -eq 2 ] || { say "usage: tools/install.sh PYTHON run|dev"; exit 2; }

if ! command -v "$1" >/dev/null 2>&1; then
    say "there is no '$1' here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3 …"
    exit 2
fi
if ! "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "Python 3.11 or newer is needed, and '$1' is $("$1" --version 2>&1 | head -n 1). Name another: make PYTHON=python3.13 …"
    exit 2
fi
# The real interpreter, also where PYTHON is a shim or the one of an activated .venv that may have to be replaced.
python=$("$1" -c 'import sys; print(getattr(sys, "_base_executable", None) or sys.executable)')
version=$("$python" -c 'import platform; print(platform.python_implementation(), platform.python_version())')

case $2 in
    run) lock=requirements.lock locks=requirements.lock ;;
    dev) lock=requirements-dev.lock locks='requirements.lock requirements-dev.lock' ;;
    *) say "usage: tools/install.sh PYTHON run|dev"; exit 2 ;;
esac
wanted() { printf '%s %s' "$version" "$(cat "$@" | cksum)"; }
stamped() { [ -x .venv/bin/python ] && [ "$(cat ".venv/.hocphi-$1" 2>/dev/null)" = "$2" ]; }
installed() {
    # The development lock holds everything of the other one, at the same versions.
    stamped "$2" "$(wanted $locks)" || { [ "$2" = run ] && stamped dev "$(wanted requirements.lock requirements-dev.lock)"; }
}
installed "$@" && exit 0

if [ "${HOCPHI_INSTALL_LOCKED:-}" != yes ]; then
    # The kernel lets go of this lock when the last process of this installation ends, however it ends.
    HOCPHI_INSTALL_LOCKED=yes exec "$python" -c '
import fcntl, os, sys
handle = os.open(sys.argv[2], os.O_RDONLY)
fcntl.flock(handle, fcntl.LOCK_EX)
os.set_inheritable(handle, True)
os.execv(sys.argv[1], sys.argv[1:])' /bin/sh tools/install.sh "$@"
fi

uv=$(command -v uv || true)
export UV_PYTHON_DOWNLOADS=never UV_NO_CONFIG=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Trust whom this machine trusts: many an office puts a certificate authority of its own before the internet. The
# second name is the one that older versions of uv know.
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}" UV_NATIVE_TLS="${UV_NATIVE_TLS:-true}"
unset VIRTUAL_ENV PYTHONPATH PYTHONHOME || true

fresh_folder() {
    rm -rf .venv
    if [ -n "$uv" ] && "$uv" venv --quiet --python "$python" .venv; then return; fi
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        say "'$python -m venv' failed; on Debian and Ubuntu: apt-get install python3-venv"
        exit 2
    fi
}
install_by_pip() {
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null 2>&1 || {
        uv=
        fresh_folder
    }
    .venv/bin/python -m pip install --quiet --require-hashes -r "$lock"
}

in_folder=$(.venv/bin/python -c 'import platform; print(platform.python_implementation(), platform.python_version())' 2>/dev/null || true)
[ "$in_folder" = "$version" ] || fresh_folder
say "installing $lock into .venv ($version)"
rm -f ".venv/.hocphi-$2"
if [ -z "$uv" ]; then
    install_by_pip
elif ! "$uv" pip install --quiet --compile-bytecode --python .venv/bin/python --require-hashes -r "$lock"; then
    say "uv could not install; trying pip"
    install_by_pip
fi
wanted $locks >".venv/.hocphi-$2"
