// Everything works without this file; it only saves the family a tap.
(function () {
  "use strict";

  var FIRST = 3000, SLOWEST = 30000, EAGER_FOR = 120000, STOP_AFTER = 1800000;

  function announce(text) {
    var live = document.getElementById("live");
    if (live) { live.textContent = text; }
  }

  // Copy buttons are hidden until we know that we can serve them.
  function offerCopying(root) {
    var note = root.querySelector("[data-copied-text]");
    root.querySelectorAll("[data-copy]").forEach(function (button) {
      var label = button.textContent;
      button.hidden = false;
      button.addEventListener("click", function () {
        copy(button.dataset.copy).then(function () {
          button.textContent = note ? note.dataset.copiedText : "✓";
          announce(button.textContent + ": " + button.dataset.copy);
          setTimeout(function () { button.textContent = label; }, 2000);
        }, function () { select(button.parentElement.querySelector(".value")); });
      });
    });
  }

  function copy(text) {
    if (navigator.clipboard && window.isSecureContext) { return navigator.clipboard.writeText(text); }
    return Promise.reject(new Error("no clipboard"));
  }

  function select(element) {
    var range = document.createRange();
    range.selectNodeContents(element);
    var chosen = window.getSelection();
    chosen.removeAllRanges();
    chosen.addRange(range);
  }

  // While a family waits: ask every 3 seconds for two minutes, then ever more seldom, for half an hour at most.
  function watch(bill) {
    var begun = Date.now(), wait = FIRST, timer = null, asking = false;

    function next() {
      clearTimeout(timer);
      var age = Date.now() - begun;
      if (bill.dataset.again !== "1" || age > STOP_AFTER) { return; }
      if (age > EAGER_FOR) { wait = Math.min(SLOWEST, wait * 1.5); }
      timer = setTimeout(ask, wait);
    }

    function ask() {
      if (asking) { return; }
      if (document.hidden) { next(); return; }
      asking = true;
      fetch(bill.dataset.status, { headers: { Accept: "application/json" }, cache: "no-store" })
        .then(function (answer) {
          if (!answer.ok) { throw new Error("status " + answer.status); }
          return answer.json();
        })
        .then(function (status) {
          return status.version === bill.dataset.version ? null : renew();
        })
        .catch(function () { wait = Math.min(SLOWEST, wait * 1.5); })
        .then(function () { asking = false; next(); });
    }

    // The server has one way to draw a state; the browser only puts the new drawing in its place.
    function renew() {
      return fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" })
        .then(function (answer) {
          if (!answer.ok) { throw new Error("page " + answer.status); }
          return answer.text();
        })
        .then(function (html) {
          var fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-bill]");
          if (!fresh) { throw new Error("no bill in the page"); }
          var hadFocus = bill.contains(document.activeElement) && document.activeElement !== bill;
          bill.replaceChildren.apply(bill, Array.from(fresh.childNodes));
          bill.dataset.version = fresh.dataset.version;
          bill.dataset.again = fresh.dataset.again;
          begun = Date.now();
          wait = FIRST;
          offerCopying(bill);
          var state = bill.querySelector("[data-state-text]");
          announce(state ? state.textContent.replace(/[○◐✓×]/g, "").trim() : "");
          if (hadFocus && state) { state.focus(); }
        });
    }

    // Coming back from the bank's app is the moment to look.
    document.addEventListener("visibilitychange", function () {
      if (!document.hidden && bill.dataset.again === "1") { begun = Date.now(); wait = FIRST; ask(); }
    });
    next();
  }

  var bill = document.querySelector("[data-bill]");
  if (bill) { offerCopying(document); watch(bill); }

  // The teacher's roll counts along; the server counts anyway.
  document.querySelectorAll("form[data-roll]").forEach(function (form) {
    var boxes = form.querySelectorAll("input[name=em]"), told = form.querySelector("[data-present]");
    function count() { told.textContent = boxes.length - form.querySelectorAll("input[name=em]:checked").length; }
    form.addEventListener("change", count);
    window.addEventListener("pageshow", count);
  });

  // A second press while a form is on its way would only be refused.
  document.querySelectorAll("form[method=post]").forEach(function (form) {
    form.addEventListener("submit", function () {
      setTimeout(function () {
        form.querySelectorAll("button[type=submit]").forEach(function (button) { button.disabled = true; });
      }, 0);
    });
  });
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) { document.querySelectorAll("button:disabled").forEach(function (b) { b.disabled = false; }); }
  });
}());
