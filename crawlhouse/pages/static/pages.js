// Follows Airflow's choice of light and dark, opens Airflow's own pages from within its frame, and refreshes what changes.
(() => {
  "use strict";
  const root = document.documentElement;
  const outer = (() => { try { return window.parent !== window ? window.parent.document : null; } catch { return null; } })();

  function theme() {
    let chosen = null;
    try { chosen = window.localStorage.getItem("theme"); } catch { /* not allowed */ }
    if (outer && outer.documentElement.classList.contains("dark")) chosen = "dark";
    else if (outer && outer.documentElement.classList.contains("light")) chosen = "light";
    if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
    else delete root.dataset.theme;
  }
  theme();
  window.addEventListener("storage", theme);
  if (outer) new MutationObserver(theme).observe(outer.documentElement, { attributes: true, attributeFilter: ["class"] });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[target=_top]");
    if (!link || !outer || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault(); // a frame may not lead its page elsewhere, but the page's own link may
    const copy = outer.createElement("a");
    copy.href = link.href;
    outer.body.append(copy);
    copy.click();
    copy.remove();
  });

  const seconds = Number(document.body.dataset.refresh || 0);
  async function refresh() {
    const main = document.querySelector("main");
    const busy = document.hidden || main.querySelector("dialog[open]") || main.querySelector("form :focus, form :checked, details[open] form");
    if (busy) return;
    try {
      const response = await fetch(window.location.href, { credentials: "same-origin", redirect: "error" });
      if (!response.ok) return;
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      const focused = document.activeElement && document.activeElement.id;
      const open = [...main.querySelectorAll("details[open][id]")].map((one) => one.id);
      main.replaceChildren(...fresh.querySelector("main").childNodes);
      open.forEach((id) => { const one = document.getElementById(id); if (one) one.open = true; });
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
      document.body.dataset.refresh = fresh.body.dataset.refresh || "0";
    } catch { /* the next time */ }
  }
  if (seconds) setInterval(() => { if (Number(document.body.dataset.refresh)) refresh(); }, seconds * 1000);

  document.addEventListener("input", (event) => {
    const field = event.target.closest("input[data-filter]");
    if (!field) return;
    const words = field.value.toLowerCase();
    document.querySelectorAll(field.dataset.filter).forEach((row) => { row.hidden = !row.dataset.text.toLowerCase().includes(words); });
  });
})();
