const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function picture(model, name) {
  const image = document.createElement("img");
  const show = () => {
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(new Blob([model.get(name)], { type: "image/jpeg" }));
  };
  model.on(`change:${name}`, show);
  show();
  return image;
}

function render({ model, el }) {
  const frame = document.createElement("div");
  const mark = document.createElement("div");
  const row = document.createElement("div");
  const caption = document.createElement("div");
  const help = document.createElement("div");
  row.className = "vsod-picker";
  mark.className = "vsod-mark";
  frame.className = "vsod-frame";
  caption.className = "vsod-caption";
  caption.setAttribute("aria-live", "polite");
  help.className = "vsod-help";
  help.textContent = "Click the frame, or focus it and press arrow keys (Shift: bigger steps).";
  frame.tabIndex = 0;
  frame.setAttribute("role", "application");
  frame.setAttribute("data-lm-suppress-shortcuts", "true"); // arrow keys would leave the cell
  frame.setAttribute("aria-label", "Frame: click a pixel, or move it with the arrow keys");
  const image = picture(model, "_frame");
  image.alt = "";
  image.draggable = false;
  frame.append(image, mark);
  const panels = picture(model, "_panels");
  panels.alt = "What depends on the picked pixel";
  row.append(frame, panels);
  // Side by side at their own widths, smaller together where the notebook is narrower.
  const fit = () => {
    frame.style.flexGrow = image.naturalWidth;
    panels.style.flexGrow = panels.naturalWidth;
    row.style.maxWidth = `${image.naturalWidth + panels.naturalWidth + 6}px`;
  };
  image.addEventListener("load", fit);
  panels.addEventListener("load", fit);
  el.append(row, caption, help);

  const [H, W] = model.get("size");
  const place = () => {
    const [i, j] = model.get("pixel");
    mark.style.top = `${(100 * (i + 0.5)) / H}%`;
    mark.style.left = `${(100 * (j + 0.5)) / W}%`;
  };
  const pick = (i, j) => {
    const clamp = (value, size) => Math.min(size - 1, Math.max(0, Math.floor(value)));
    model.set("pixel", [clamp(i, H), clamp(j, W)]);
    model.save_changes();
  };
  const tell = () => (caption.textContent = model.get("caption"));
  model.on("change:pixel", place);
  model.on("change:caption", tell);
  frame.addEventListener("pointerdown", (event) => {
    const { top, left, height, width } = image.getBoundingClientRect();
    pick(((event.clientY - top) * H) / height, ((event.clientX - left) * W) / width);
  });
  frame.addEventListener("keydown", (event) => {
    if (!(event.key in MOVES)) return;
    event.preventDefault();
    event.stopPropagation();
    const [i, j] = model.get("pixel");
    const step = model.get("step") * (event.shiftKey ? 4 : 1);
    pick(i + MOVES[event.key][0] * step, j + MOVES[event.key][1] * step);
  });
  place();
  tell();
}

export default { render };
