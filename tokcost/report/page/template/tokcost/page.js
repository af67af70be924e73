// What a figure shows where a reader points: with a mouse, a finger, or the arrow keys. The page is whole without it.
"use strict";
for (const figure of document.querySelectorAll("figure[data-values]")) {
  const values = JSON.parse(figure.dataset.values);
  const picture = figure.querySelector("img");
  const label = figure.appendChild(document.createElement("div"));
  label.className = "value";
  label.setAttribute("role", "status");
  let at = -1;
  const isNarrow = () => picture.currentSrc !== picture.src;
  const place = ([, x, y, narrowX, narrowY]) => {
    const [across, down] = isNarrow() ? [narrowX, narrowY] : [x, y];
    return [picture.offsetLeft + across / 100 * picture.offsetWidth, picture.offsetTop + down / 100 * picture.offsetHeight];
  };
  const show = (index) => {
    at = index;
    label.textContent = index < 0 ? "" : values[index][0];
    if (index < 0) return;
    const [left, top] = place(values[index]);
    const half = label.offsetWidth / 2;
    const inside = Math.min(Math.max(left, half), Math.max(half, figure.offsetWidth - half));
    label.style.left = inside + "px";
    label.style.top = top + "px";
    label.style.setProperty("--shift", left - inside + "px");
  };
  const nearest = (event) => {
    const box = figure.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = -1, least = 40 ** 2;
    values.forEach((value, index) => {
      const [left, top] = place(value);
      const distance = (left - x) ** 2 + (top - y) ** 2;
      if (distance < least) [best, least] = [index, distance];
    });
    show(best);
  };
  figure.addEventListener("pointermove", nearest);
  figure.addEventListener("pointerdown", nearest);
  figure.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") show(-1); });
  figure.addEventListener("blur", () => show(-1));
  figure.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") show(-1);
    if (!step) return;
    event.preventDefault();
    show((at + step + values.length) % values.length);
  });
}

// The index: reports that do not hold every word typed are hidden. Without this script all are shown.
const reports = Array.from(document.querySelectorAll("ol.reports > li"), (item) => [item, item.textContent.toLowerCase()]);
if (reports.length >= 5) {
  const place = document.createElement("p");
  place.className = "search";
  place.innerHTML = '<label for="search">Search these reports</label> <input id="search" type="search"> <span role="status"></span>';
  const [, field, said] = place.children;
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const [item, text] of reports) item.hidden = !words.every((word) => text.includes(word));
    for (const head of document.querySelectorAll(".group")) head.hidden = !head.nextElementSibling.querySelector("li:not([hidden])");
    const left = reports.filter(([item]) => !item.hidden).length;
    said.textContent = left < reports.length ? `${left} of ${reports.length}` : "";
  });
  document.querySelector("main").prepend(place);
}

// What if: three inputs that a reader moves. Digits are those of tokcost.show.numbers.
const text = (value, decimals) => {
  const exact = value.toFixed(Math.min(100, decimals + 60));
  const cut = exact.length - 60;
  const isTie = /^50*$/.test(exact.slice(cut));  // Python rounds a tie to the even digit
  const down = exact.slice(0, cut).replace(/\.$/, "");
  const digits = isTie && /[02468]$/.test(down) ? down : value.toFixed(decimals);
  const [whole, rest] = digits.split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest ? "." + rest : "");
};
const num = (value, digits = 3) => {
  if (value === 0) return "0";
  if (Number.isInteger(value) && value < 1e6) return text(value, 0);
  const places = (number) => digits - 1 - Math.floor(Math.log10(number));
  const scale = 10 ** Math.max(0, -places(value));
  const rounded = scale > 1 ? Math.round(value / scale) * scale : Number(text(value, places(value)).replaceAll(",", ""));
  return text(rounded, Math.max(0, places(rounded)));
};
const usd = (value) => "$" + (value >= 1000 ? text(value, 0) : value >= 1 ? text(value, 2) : num(value));
const percent = (frac) => {
  const share = Number(text(frac * 100, 10).replaceAll(",", ""));
  let digits = 3, said = num(share, digits);
  while (share < 100 && said.startsWith("100")) said = num(share, ++digits);
  return (Number(said.replaceAll(",", "")) === share && said.includes(".") ? said.replace(/\.?0+$/, "") : said) + "%";
};
const costOf = (rate, speed, utilization) => rate / (speed * utilization * 3600) * 1e6;

for (const place of document.querySelectorAll("[data-what-if]")) {
  const { inputs, span } = JSON.parse(place.dataset.whatIf);
  const price = inputs.price_usd_per_mtok;
  const dials = [
    { name: "rate_usd_per_gpu_h", label: "Price of a GPU-hour", unit: "USD", factor: 1 },
    { name: "total_tok_per_s_per_gpu", label: "Tokens per second per GPU", unit: "tokens/s", factor: 1 },
    { name: "utilization_frac", label: "Utilization", unit: "%", factor: 100, most: 1 },
  ];
  const now = { ...inputs };
  const make = (kind, attributes = {}, inside = "") => {
    const made = document.createElement(kind);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(inside);
    return made;
  };
  const panel = make("div", { class: "dials", role: "group", "aria-label": "What if" });
  for (const dial of dials) {
    const start = inputs[dial.name], most = dial.most ?? start * span, least = Math.min(start, most) / span;
    const id = `${dial.name}-typed`;
    const typed = make("input", { type: "number", id, step: "any", min: least * dial.factor, max: most * dial.factor });
    const slider = make("input", { type: "range", min: -100, max: Math.round(100 * Math.log(most / start) / Math.log(span)), "aria-label": `${dial.label}, slider` });
    const label = make("label", { for: id }, `${dial.label} `);
    label.append(make("small", {}, dial.unit));
    const set = (value) => {
      now[dial.name] = value;
      const said = Number((value * dial.factor).toPrecision(6));
      if (Number(typed.value) !== said) typed.value = said;
      slider.value = 100 * Math.log(value / start) / Math.log(span);
      slider.setAttribute("aria-valuetext", `${said} ${dial.unit}`);
    };
    typed.addEventListener("input", () => {
      const value = Number(typed.value) / dial.factor;
      const isAllowed = typed.value !== "" && value >= least * (1 - 1e-9) && value <= most * (1 + 1e-9);
      typed.toggleAttribute("aria-invalid", !isAllowed);
      if (isAllowed) { set(value); show(); }
    });
    slider.addEventListener("input", () => {
      const at = Number(slider.value);
      set(at === 0 ? start : Math.min(most, Number((start * span ** (at / 100)).toPrecision(3))));
      typed.removeAttribute("aria-invalid");
      show();
    });
    dial.set = set;
    panel.append(label, typed, slider);
  }
  const answer = make("p", { class: "answer", role: "status" });
  const curve = make("div", { class: "curve", "aria-hidden": "true" });
  const back = make("button", { type: "button" }, "Back to the report's values");
  back.addEventListener("click", () => { for (const dial of dials) dial.set(inputs[dial.name]); show(); });
  const show = () => {
    const { rate_usd_per_gpu_h: rate, total_tok_per_s_per_gpu: speed, utilization_frac: utilization } = now;
    const full = costOf(rate, speed, 1), cost = costOf(rate, speed, utilization), even = full / price;
    const pays = even <= 1
      ? `Sold at ${usd(price)}, they pay from ${percent(even)} utilization on.`
      : `Sold at ${usd(price)}, they pay at no utilization: at ${usd(rate)} an hour that takes ${num(speed * even)} tokens/s per GPU.`;
    answer.replaceChildren("A million tokens cost ", make("b", {}, usd(cost)), ". ", make("span", {}, pays));
    draw(full, cost, utilization, even);
  };
  const draw = (full, cost, utilization, even) => {
    const width = Math.max(280, curve.clientWidth), height = 220, [left, bottom] = [52, 34];
    const top = 1.25 * Math.max(cost, price, full * 2);
    const x = (frac) => left + frac * (width - left - 14), y = (value) => height - bottom - Math.min(1.03, value / top) * (height - bottom - 10);
    const points = Array.from({ length: 97 }, (_, i) => 0.04 + i * 0.01).filter((u) => full / u <= top);
    const word = (at, up, said, anchor = "start", kind = "") => `<text x="${at.toFixed(1)}" y="${up.toFixed(1)}" text-anchor="${anchor}" class="${kind}">${said}</text>`;
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((u) => word(x(u), height - 14, `${u * 100}%`, u === 1 ? "end" : "middle", "axis")).join("");
    const levels = [0, top / 2.5, top / 1.25].map((v) => `<path class="grid" d="M${left} ${y(v)}H${width - 14}"/>${word(left - 6, y(v) + 4, v ? usd(v) : "$0", "end", "axis")}`).join("");
    curve.innerHTML = `<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${levels}${ticks}`
      + `<path class="price" d="M${left} ${y(price)}H${width - 14}"/>${word(width - 14, y(price) - 6, "sold at " + usd(price), "end")}`
      + `<path class="line" d="M${points.map((u) => `${x(u).toFixed(1)} ${y(full / u).toFixed(1)}`).join("L")}"/>`
      + (even <= 1 ? `<path class="even" d="M${x(even)} ${y(price)}V${y(0)}"/>` : "")
      + `<circle cx="${x(utilization)}" cy="${y(cost)}" r="6"/></svg>`;
  };
  place.append(panel, answer, curve, make("p", { class: "meta" }, "Cost of a million tokens by utilization; the dot is where you are. "), back);
  for (const dial of dials) dial.set(inputs[dial.name]);
  show();
  new ResizeObserver(show).observe(place);
}
