// The people's queue by keyboard: J/K move, Enter accepts, / searches, S splits, U undoes, X marks. Everything works without it.
// Whoever is disturbed by single keys (voice control, for one) turns them off; that is kept in this browser alone.
(function () {
  "use strict";

  function rows() { return Array.from(document.querySelectorAll("[data-row]")); }
  function current() { return document.activeElement ? document.activeElement.closest("[data-row]") : null; }

  function move(by) {
    var all = rows(), at = all.indexOf(current());
    if (!all.length) { return; }
    var next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function press(element) {
    if (!element) { return false; }
    element.click();
    return true;
  }

  function accept(row) {
    return press(row.querySelector("form[data-accept] button")) || press(row.querySelector("[data-open]"));
  }

  function reach(selector) {
    var found = document.querySelector(selector);
    if (found) { found.focus(); found.scrollIntoView({ block: "center" }); }
    return Boolean(found);
  }

  var acts = {
    x: function () { var row = current(); return press(row && row.querySelector("input[type=checkbox]")); },
    j: function () { move(1); return true; },
    k: function () { move(-1); return true; },
    "/": function () { return reach("[data-search]"); },
    s: function () {
      var row = current();
      return press(row && row.querySelector("[data-split]")) || reach("[data-class]") || reach("#danh-sach");
    },
    u: function () { return reach("[data-undo-reason]") || press(document.querySelector("[data-undo]")); }
  };

  var KEPT = "hocphi-keys", off = false;
  try { off = localStorage.getItem(KEPT) === "off"; } catch (error) { off = false; }
  document.querySelectorAll("[data-keys]").forEach(function (button) {
    var on = button.textContent;
    function tell() { button.textContent = off ? button.dataset.off : on; }
    button.hidden = false;
    tell();
    button.addEventListener("click", function () {
      off = !off;
      try { localStorage.setItem(KEPT, off ? "off" : "on"); } catch (error) { /* then it holds on this page */ }
      tell();
    });
  });

  document.addEventListener("keydown", function (event) {
    if (off || event.ctrlKey || event.metaKey || event.altKey) { return; }
    var on = event.target, typing = on.matches("input:not([type=checkbox]), textarea, select");
    if (typing) {
      if (event.key === "Escape") { on.blur(); }
      return;
    }
    if (event.key === "Enter") {
      if (on.matches("[data-row]") && accept(on)) { event.preventDefault(); }
      return;
    }
    var act = acts[event.key.toLowerCase()];
    if (act && act()) { event.preventDefault(); }
  });

  // What was typed is looked for as it is typed; the form finds the same without this.
  var search = document.querySelector("[data-hits]"), result = document.getElementById("ket-qua"), timer = null, turn = 0;
  if (search && result) {
    search.addEventListener("input", function () {
      clearTimeout(timer);
      timer = setTimeout(function () {
        var mine = ++turn;
        fetch(search.dataset.hits + "&tim=" + encodeURIComponent(search.value), { headers: { Accept: "text/html" }, cache: "no-store" })
          .then(function (answer) { if (!answer.ok) { throw new Error("status " + answer.status); } return answer.text(); })
          .then(function (html) {
            if (mine !== turn) { return; }
            var fresh = new DOMParser().parseFromString(html, "text/html");
            result.replaceChildren.apply(result, Array.from(fresh.body.childNodes));
          })
          .catch(function () { return null; });
      }, 150);
    });
  }

  // The parts count along; the server counts anyway.
  document.querySelectorAll("form[data-sums]").forEach(function (form) {
    var whole = Number(form.dataset.sums), left = form.querySelector("[data-left]"), given = form.querySelector("[data-given]");
    function dong(number) { return number.toLocaleString("vi-VN") + " đ"; }
    function count() {
      var sum = 0;
      form.querySelectorAll("[data-sum]").forEach(function (field) { sum += Number(field.value.replace(/[^0-9]/g, "")) || 0; });
      given.textContent = dong(sum);
      left.textContent = dong(whole - sum);
    }
    form.addEventListener("input", count);
    window.addEventListener("pageshow", count);
  });

  if (location.hash === "#lop") { window.addEventListener("load", acts.s); }

  // Whoever works by keyboard begins at the first line.
  var first = document.querySelector("[data-first] [data-row]") || document.querySelector("[data-queue] [data-row]");
  if (first && !document.querySelector("[autofocus]") && !location.hash) { first.focus({ preventScroll: true }); }
}());
