// What is wrong with how a page looks and reads: a list of sentences, empty if nothing is. Run by `looks.py` in a real browser.
const problems = [];
const say = (kind, one, more) => problems.push(`${kind}: <${one.tagName.toLowerCase()} class="${one.getAttribute("class") || ""}"> ${(one.textContent || "").trim().slice(0, 40)} ${more || ""}`);
const width = window.innerWidth, all = [...document.body.querySelectorAll("*")];
const shown = (one) => getComputedStyle(one).display !== "none" && one.getClientRects().length > 0;
const forReaders = (one) => one.closest(".hidden, .skip, thead") !== null;
const scrolls = (one) => {
  for (let up = one.parentElement; up && up !== document.body; up = up.parentElement) if (/auto|scroll/.test(getComputedStyle(up).overflowX)) return true;
  return false;
};
// Nothing is wider than the window, but for what scrolls in its own box.
if (document.documentElement.scrollWidth > width) say("wider than the window", document.documentElement, document.documentElement.scrollWidth);
for (const one of all) {
  if (!shown(one) || forReaders(one) || scrolls(one)) continue;
  const box = one.getBoundingClientRect();
  if (box.right > width + 1 || box.left < -1) say("outside of the window", one, `${box.left}..${box.right}`);
}
// Text has a contrast of 4.5 to what is behind it (WCAG 2.2, 1.4.3).
const color = (text) => { const found = text.match(/[\d.]+/g).map(Number); return [found[0], found[1], found[2], found.length > 3 ? found[3] : 1]; };
const over = (top, under) => [0, 1, 2].map((part) => top[part] * top[3] + under[part] * (1 - top[3])).concat(1);
const behind = (one) => {
  const layers = [];
  for (let up = one; up; up = up.parentElement) { const found = color(getComputedStyle(up).backgroundColor); layers.push(found); if (found[3] === 1) break; }
  return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
};
const luminance = (rgb) => {
  const [red, green, blue] = rgb.slice(0, 3).map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
for (const one of all) {
  if (!shown(one) || ![...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
  const svg = one.closest("svg"), ground = behind(svg ? svg.parentElement : one), style = getComputedStyle(one);
  const [light, dark] = [luminance(over(color(svg ? style.fill : style.color), ground)), luminance(ground)].sort((a, b) => b - a);
  if ((light + 0.05) / (dark + 0.05) < 4.5) say("contrast", one, ((light + 0.05) / (dark + 0.05)).toFixed(2));
}
// Everything has a name, and tables have headers, for those who do not see them.
for (const one of document.querySelectorAll("input:not([type=hidden]), select")) if (!one.labels.length && !one.getAttribute("aria-label")) say("no label", one, one.name);
for (const one of document.querySelectorAll("a[href], button, summary, iframe")) if (!(one.getAttribute("aria-label") || one.textContent || one.title).trim()) say("no name", one);
for (const one of document.querySelectorAll("svg[role=img]")) if (!one.getAttribute("aria-label")) say("no label", one);
for (const one of document.querySelectorAll("table")) if (!one.querySelector("th")) say("no header", one);
for (const one of document.querySelectorAll("th")) if (!one.scope) say("no scope", one);
for (const name of ["main", "h1"]) if (document.querySelectorAll(name).length !== 1) say(`not one ${name}`, document.body);
let level = 0;
for (const one of document.querySelectorAll("h1, h2, h3, h4")) { if (level && Number(one.tagName[1]) > level + 1) say("a level is left out", one); level = Number(one.tagName[1]); }
const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
if (new Set(ids).size < ids.length) say("an id twice", document.body, ids.filter((id, place) => ids.indexOf(id) < place).join(" "));
// What is touched is at least 24 pixels high (WCAG 2.2, 2.5.8); links within text are not.
if (width < 700) for (const one of document.querySelectorAll("button, input:not([type=hidden], [type=checkbox]), summary, header nav a")) if (shown(one) && one.getBoundingClientRect().height < 24) say("too small", one);
return problems;
