// What lives on a page: the line over everything, a run that goes on, menus, and lists that are dropped.
"use strict";
(() => {
  // The new becomes the old, node by node: what somebody has opened, typed or focused stays as it is.
  const morph = (old, fresh) => {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || (old.dataset && old.dataset.key !== fresh.dataset.key)) {
      old.replaceWith(fresh.cloneNode(true));
      return;
    }
    if (old.nodeType === Node.TEXT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE || old.isEqualNode(fresh)) return;
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    children(old, fresh);
  };
  const key = (node) => (node.dataset ? node.dataset.key : undefined);
  const children = (old, fresh) => {
    const known = new Map([...old.children].filter(key).map((node) => [key(node), node]));
    let at = old.firstChild;
    for (const want of [...fresh.childNodes]) {
      const same = key(want) && known.get(key(want));
      if (same && same !== at) {
        old.insertBefore(same, at);
        morph(same, want);
      } else if (at && (!key(at) || key(at) === key(want))) {
        const next = at.nextSibling;
        morph(at, want);
        at = next;
      } else {
        old.insertBefore(want.cloneNode(true), at);
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  };
  const draw = (place, html) => {
    const fresh = place.cloneNode(false);
    fresh.innerHTML = html;
    children(place, fresh);
  };

  const busy = (place) => place.querySelector("details[open]") !== null || place.contains(document.activeElement) && document.activeElement.matches("input, textarea");
  for (const place of document.querySelectorAll("[data-fresh]")) {
    setInterval(async () => {
      if (document.hidden || busy(place)) return;
      const answer = await fetch(place.dataset.fresh, { redirect: "error" }).catch(() => null);
      if (answer && answer.ok) draw(place, await answer.text());
    }, 3000);
  }

  for (const place of document.querySelectorAll("[data-live]")) {
    const source = new EventSource(place.dataset.live);
    const told = (event) => draw(place, event.data);
    source.addEventListener("html", told);
    source.addEventListener("last", (event) => {
      told(event);
      source.close();
    });
    addEventListener("pagehide", () => source.close());
  }

  const burger = document.querySelector(".burger");
  if (burger) {
    const menu = document.getElementById("menu");
    burger.addEventListener("click", () => {
      const open = menu.classList.toggle("open");
      burger.setAttribute("aria-expanded", open);
    });
  }
  const shut = (but) => document.querySelectorAll("details.pop[open]").forEach((pop) => pop !== but && pop.removeAttribute("open"));
  document.addEventListener("click", (event) => shut(event.target.closest("details.pop")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.pop[open]");
    if (open) {
      shut(null);
      open.querySelector("summary").focus();
    }
  });
  for (const field of document.querySelectorAll("[data-zone]")) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  // A list is looked at as soon as it is there, and again when a rule changes.
  const make = document.querySelector("form[data-check]");
  if (make) {
    const file = make.elements.contacts;
    const drop = make.querySelector(".drop");
    const place = document.getElementById("checked");
    const empty = drop.querySelector("[data-name]").textContent;
    let asked = 0;
    const check = async () => {
      drop.querySelector("[data-name]").textContent = file.files.length ? file.files[0].name : empty;
      if (!file.files.length) return place.replaceChildren();
      const mine = ++asked;
      place.classList.add("busy");
      const answer = await fetch(make.dataset.check, { method: "POST", body: new FormData(make) }).catch(() => null);
      if (mine !== asked) return;
      place.classList.remove("busy");
      if (answer && (answer.ok || [400, 409, 413, 422].includes(answer.status))) draw(place, await answer.text());
    };
    let soon;
    make.addEventListener("change", (event) => {
      clearTimeout(soon);
      if (event.target === file || file.files.length) soon = setTimeout(check, event.target === file ? 0 : 400);
    });
    for (const kind of ["dragenter", "dragover"]) document.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
    for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, () => drop.classList.remove("over"));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      if (!event.dataTransfer.files.length) return;
      file.files = event.dataTransfer.files;
      check();
    });
    const hours = () => {
      for (const rect of make.querySelectorAll("[data-hours]")) {
        const [from, until] = [...make.querySelectorAll(`[data-week="${rect.dataset.hours}"]`)].map(({ value }) => {
          const [h, m] = value.split(":").map(Number);
          return value ? h * 60 + m : NaN;
        });
        rect.setAttribute("x", from || 0);
        rect.setAttribute("width", Math.max(0, until - from) || 0);
      }
    };
    make.addEventListener("input", hours);
    hours();
  }
  // Nothing is sent twice by an impatient finger.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!event.defaultPrevented && button) setTimeout(() => (button.disabled = true));
  });
  addEventListener("pageshow", () => document.querySelectorAll("button[disabled]").forEach((button) => (button.disabled = false)));
})();
