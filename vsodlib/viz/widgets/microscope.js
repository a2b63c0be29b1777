// One drawing for the notebook and for the saved page: `model` is anywidget's, or `still` below.
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const TURNS = { "[": -1, "]": 1, PageUp: -1, PageDown: 1 };
const WIDE = 320; // pixels a panel is drawn wide
const THUMB = 160;
const COLUMNS = 6; // thumbnails side by side

function still(state) {
  const heard = {};
  return {
    get: (name) => state[name],
    on: (event, act) => (heard[event] ??= []).push(act),
    set: (name, value) => {
      state[name] = value;
      heard[`change:${name}`]?.forEach((act) => act());
    },
    save_changes: () => {},
  };
}

const bytes = (data) =>
  typeof data === "string"
    ? Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

async function inflate(data, Type) {
  if (data == null) return null;
  const plain = new Blob([bytes(data)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Type(await new Response(plain).arrayBuffer());
}

function make(parent, tag, properties = {}) {
  const { role, label, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  if (role) made.setAttribute("role", role);
  if (label) made.setAttribute("aria-label", label);
  parent.append(made);
  return made;
}

function sized(canvas, width, height) {
  Object.assign(canvas, { width, height });
  return canvas.getContext("2d");
}

async function opened(jpeg, width, height) {
  // The frame, and the same in light grey, a ground for colours.
  const bitmap = await createImageBitmap(new Blob([bytes(jpeg)], { type: "image/jpeg" }));
  const [colored, pale] = [document.createElement("canvas"), document.createElement("canvas")];
  sized(colored, width, height).drawImage(bitmap, 0, 0, width, height);
  const pixels = colored.getContext("2d").getImageData(0, 0, width, height);
  for (let k = 0; k < pixels.data.length; k += 4) {
    const [r, g, b] = pixels.data.subarray(k, k + 3);
    pixels.data.fill((0.299 * r + 0.587 * g + 0.114 * b) / 2 + 110, k, k + 3);
  }
  sized(pale, width, height).putImageData(pixels, 0, 0);
  const small = document.createElement("canvas");
  const tall = Math.round((THUMB * height) / width);
  sized(small, THUMB, tall).drawImage(pale, 0, 0, THUMB, tall);
  return { colored, pale, small };
}

function rowOf(layer, t, q, N, T) {
  if (!layer.scales) return layer.values.subarray((t * N + q) * N, (t * N + q + 1) * N);
  // The row of a product is a sum over channels, as in Eq. 4; no N x N matrix is stored.
  const [C, row] = [layer.scales.length / T, new Float32Array(N)];
  const keys = layer.keys ?? layer.values;
  for (let k = t * C; k < (t + 1) * C; k++) {
    const query = layer.scales[k] * layer.values[k * N + q];
    if (query) for (let j = 0; j < N; j++) row[j] += query * keys[k * N + j];
  }
  return row;
}

function measured(row, covered) {
  // Shares p of the row's size: the largest, exp of the entropy, and the mass on the object.
  let [sum, largest, entropy, inside] = [0, 0, 0, 0];
  for (const weight of row) sum += Math.abs(weight);
  row.forEach((weight, j) => {
    const p = sum ? Math.abs(weight) / sum : 0;
    if (p) entropy -= p * Math.log(p);
    if (covered) inside += (p * covered[j]) / 255;
    largest = Math.max(largest, p);
  });
  const share = (value) => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`;
  const used = Math.round(Math.exp(entropy));
  const told = `largest share ${share(largest)}, ${used} of ${row.length} positions in use`;
  return covered ? `${told}, ${share(inside)} on the object` : told;
}

async function render({ model, el }) {
  const state = model.get("content");
  const { size: [H, W], grid: [h, w], stride } = state;
  const [N, T, high] = [h * w, state.frames.length, Math.round((WIDE * H) / W)];
  const frames = await Promise.all(state.frames.map((jpeg) => opened(jpeg, WIDE, high)));
  const covered = await inflate(state.covered, Uint8Array);
  const layers = await Promise.all(
    state.layers.map(async ({ name, values, keys, scales }) => ({
      name,
      values: await inflate(values, Int8Array),
      keys: await inflate(keys, Int8Array),
      scales: await inflate(scales, Float32Array),
    })),
  );

  const root = make(el, "div", { className: "vsod-scope" });
  const panels = make(root, "div", { className: "vsod-panels" });
  const first = make(panels, "figure");
  const turn = T > 1 ? ", [ and ] turn to the frame before and after" : "";
  const frame = make(first, "canvas", {
    className: "vsod-frame",
    tabIndex: 0,
    role: "application",
    label: `Frame: click a pixel; arrow keys move it (Shift: bigger steps)${turn}.`,
  });
  frame.setAttribute("data-lm-suppress-shortcuts", "true"); // arrow keys would leave the cell
  const caption = make(first, "figcaption", { className: "vsod-caption" });
  for (const layer of layers) {
    const figure = make(panels, "figure");
    layer.panel = make(figure, "canvas", { role: "img" });
    layer.caption = make(figure, "figcaption");
    if (T === 1) continue;
    make(root, "div", { textContent: `${layer.name}, the same pixel in every frame` });
    layer.strip = make(root, "canvas", { className: "vsod-strip", role: "img" });
    const { height: tall } = frames[0].small;
    sized(layer.strip, Math.min(T, COLUMNS) * (THUMB + 4), Math.ceil(T / COLUMNS) * (tall + 4));
  }
  const live = make(root, "div", { className: "vsod-live" });
  live.setAttribute("aria-live", "polite");
  make(root, "div", { className: "vsod-help", textContent: frame.getAttribute("aria-label") });

  const overlay = document.createElement("canvas");
  const cells = sized(overlay, w, h);
  const shades = cells.createImageData(w, h);
  function paint(context, ground, row, x, y, width) {
    // The row in colour on the frame: as strong as a weight's share of the largest.
    const scale = width / WIDE;
    let largest = 1e-12;
    for (const weight of row) largest = Math.max(largest, Math.abs(weight));
    for (let j = 0; j < N; j++) {
      const color = state.colors[row[j] < 0 ? 1 : 0];
      for (let c = 0; c < 3; c++) shades.data[4 * j + c] = color[c];
      shades.data[4 * j + 3] = (0.9 * 255 * Math.abs(row[j])) / largest;
    }
    cells.putImageData(shades, 0, 0);
    const step = (stride * width) / W;
    context.save();
    context.beginPath();
    context.rect(x, y, width, high * scale); // the last squares may stick out of the frame
    context.clip();
    context.drawImage(ground, x, y, width, high * scale);
    context.imageSmoothingEnabled = false;
    context.drawImage(overlay, x, y, w * step, h * step);
    ring(context, x, y, width);
    context.restore();
  }
  function ring(context, x, y, width) {
    const [i, j] = model.get("pixel");
    for (const [color, thick] of [["black", 5], ["white", 2]]) {
      context.beginPath();
      const radius = Math.max(3, width / 53);
      context.arc(x + ((j + 0.5) * width) / W, y + ((i + 0.5) * width) / W, radius, 0, 7);
      Object.assign(context, { strokeStyle: color, lineWidth: (thick * width) / WIDE + 0.5 });
      context.stroke();
    }
  }
  function draw() {
    const [[i, j], now] = [model.get("pixel"), model.get("frame")];
    const q = Math.floor(i / stride) * w + Math.floor(j / stride);
    const context = sized(frame, WIDE, high);
    context.drawImage(frames[now].colored, 0, 0);
    ring(context, 0, 0, WIDE);
    caption.textContent = `frame ${now + 1} of ${T}: row ${i}, column ${j}`;
    const told = layers.map((layer) => {
      const rows = frames.map((_, t) => rowOf(layer, t, q, N, T));
      paint(sized(layer.panel, WIDE, high), frames[now].pale, rows[now], 0, 0, WIDE);
      const object = covered?.subarray(now * N, (now + 1) * N);
      layer.caption.textContent = `${layer.name}: ${measured(rows[now], object)}`;
      layer.panel.setAttribute("aria-label", layer.caption.textContent);
      if (layer.strip) film(layer, rows, now);
      return layer.caption.textContent;
    });
    live.textContent = [caption.textContent, ...told].join(". ");
  }
  function film(layer, rows, now) {
    const { height: tall } = frames[0].small;
    const across = Math.min(T, COLUMNS);
    const context = layer.strip.getContext("2d");
    context.clearRect(0, 0, layer.strip.width, layer.strip.height);
    rows.forEach((row, t) => {
      const [x, y] = [(t % across) * (THUMB + 4) + 2, Math.floor(t / across) * (tall + 4) + 2];
      paint(context, frames[t].small, row, x, y, THUMB);
      if (t !== now) return;
      Object.assign(context, { strokeStyle: "#0072B2", lineWidth: 4 });
      context.strokeRect(x, y, THUMB, tall);
    });
    layer.strip.setAttribute("aria-label", `${layer.name}: one picture for each of ${T} frames`);
  }

  const clamp = (value, count) => Math.min(count - 1, Math.max(0, Math.floor(value)));
  const pick = (i, j) => put("pixel", [clamp(i, H), clamp(j, W)]);
  function put(name, value) {
    model.set(name, value);
    model.save_changes();
  }
  frame.addEventListener("pointerdown", (event) => {
    const { top, left, height, width } = frame.getBoundingClientRect();
    pick(((event.clientY - top) * H) / height, ((event.clientX - left) * W) / width);
  });
  frame.addEventListener("keydown", (event) => {
    const { key } = event;
    if (!(key in MOVES || key in TURNS)) return;
    event.preventDefault();
    event.stopPropagation();
    if (key in TURNS) return put("frame", clamp(model.get("frame") + TURNS[key], T));
    const [[i, j], step] = [model.get("pixel"), stride * (event.shiftKey ? 4 : 1)];
    pick(i + MOVES[key][0] * step, j + MOVES[key][1] * step);
  });
  for (const { strip } of layers)
    strip?.addEventListener("pointerdown", (event) => {
      const { left, top, width, height } = strip.getBoundingClientRect();
      const across = Math.min(T, COLUMNS);
      const column = clamp(((event.clientX - left) * across) / width, across);
      const line = Math.floor(((event.clientY - top) * Math.ceil(T / across)) / height);
      put("frame", clamp(line * across + column, T));
    });
  model.on("change:pixel", draw);
  model.on("change:frame", draw);
  draw();
}

export default { render };
