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
