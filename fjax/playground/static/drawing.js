// Pictures: surfaces, points, the curve of the losses, and the small pictures of data sets.

// How much of its color a large picture has, so that the points on it are seen.
const PALE = 0.6;

/** The colors of a theme, from the style sheet: classes, background, text, lines. */
function readColors(root) {
  const style = getComputedStyle(root);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  const parse = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const classes = [0, 1, 2, 3, 4, 5].map((index) => color(`class-${index}`));
  return {
    classes, middle: color("middle"), text: color("text"), soft: color("soft"), panel: color("panel"),
    rgb: classes.map(parse), ramp: ramp(parse(classes[0]), parse(color("middle")), parse(classes[1])),
    pale: ramp(parse(classes[0]), parse(color("middle")), parse(classes[1]), PALE),
  };
}

/** Return the color of each byte, from one color over a middle to another, as 256 pixels. */
function ramp(low, middle, high, strength = 0.9) {
  const pixels = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    const share = (byte - 128) / 127.5;
    const end = share < 0 ? low : high;
    const weight = strength * Math.min(1, Math.abs(share));
    const [r, g, b] = middle.map((each, index) => Math.round(each + (end[index] - each) * weight));
    pixels[byte] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return pixels;
}

/**
 * Draw bytes as a square picture.
 * @param {Uint32Array} table The color of each byte.
 * @param {boolean} sharp Whether to show only on which side of the middle they are.
 */
function drawSurface(canvas, bytes, size, table, sharp = false) {
  const { context, image, pixels } = bitmapOf(canvas, size);
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    pixels[index] = table[sharp ? (byte > 128 ? 255 : 0) : byte];
  }
  context.putImageData(image, 0, 0);
}

/** Draw the probabilities of several classes: the mixture of their colors. */
function drawClasses(canvas, planes, size, colors, sharp = false) {
  const { context, image, pixels } = bitmapOf(canvas, size);
  const background = [1, 3, 5].map((at) => parseInt(colors.middle.slice(at, at + 2), 16));
  for (let index = 0; index < pixels.length; index += 1) {
    // A byte is twice the probability less one.
    const shares = planes.map((plane) => plane[index] / 255);
    const best = Math.max(...shares);
    const mixed = [0, 0, 0];
    shares.forEach((share, label) => {
      const weight = sharp ? Number(share === best) : share;
      colors.rgb[label].forEach((value, part) => (mixed[part] += weight * value));
    });
    const [r, g, b] = mixed.map((value, part) => Math.round((1 - PALE) * background[part] + PALE * value));
    pixels[index] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  context.putImageData(image, 0, 0);
}

const BITMAPS = new WeakMap();

function bitmapOf(canvas, size) {
  let bitmap = BITMAPS.get(canvas);
  if (bitmap === undefined || canvas.width !== size) {
    canvas.width = canvas.height = size;
    const context = canvas.getContext("2d");
    const image = context.createImageData(size, size);
    bitmap = { context, image, pixels: new Uint32Array(image.data.buffer) };
    BITMAPS.set(canvas, bitmap);
  }
  return bitmap;
}

/** Return the context of a canvas that has a pixel for each of the screen, and its two sizes. */
function sharpContext(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  return { context, width, height };
}

/** Draw points over a surface; those of the test have a ring. */
function drawPoints(canvas, training, test, settings, colors) {
  const { context, width, height } = sharpContext(canvas);
  const radius = Math.max(2.5, width / 110);
  const draw = (points, isTest) => {
    for (const [x1, x2, y] of points) {
      const x = ((x1 + settings.extent) / (2 * settings.extent)) * width;
      const top = ((settings.extent - x2) / (2 * settings.extent)) * height;
      shape(context, settings.classes ? y : 0, x, top, radius);
      context.fillStyle = settings.classes ? colors.classes[y] : valueColor(y, colors);
      context.strokeStyle = isTest ? colors.text : settings.classes ? colors.panel : colors.soft;
      context.lineWidth = isTest ? 1.4 : 1;
      context.fill();
      context.stroke();
    }
  };
  draw(training, false);
  draw(test, true);
}

/** Begin the outline of a point; each class has its own, so that color is not needed. */
function shape(context, label, x, y, radius) {
  context.beginPath();
  if (label % 3 === 0) context.arc(x, y, radius, 0, 7);
  else if (label % 3 === 1) context.rect(x - 0.88 * radius, y - 0.88 * radius, 1.76 * radius, 1.76 * radius);
  else {
    context.moveTo(x, y - 1.2 * radius);
    context.lineTo(x + 1.15 * radius, y + 0.9 * radius);
    context.lineTo(x - 1.15 * radius, y + 0.9 * radius);
    context.closePath();
  }
}

function valueColor(value, colors) {
  const byte = Math.max(0, Math.min(255, Math.round(value * 127.5 + 128)));
  const pixel = colors.ramp[byte];
  return `rgb(${pixel & 255}, ${(pixel >> 8) & 255}, ${(pixel >> 16) & 255})`;
}

/** Draw the losses of training and test over the epochs. */
function drawCurve(canvas, records, colors) {
  const { context, width, height } = sharpContext(canvas);
  const known = records.filter((record) => record[1] != null && record[2] != null);
  if (known.length < 2) return;
  const first = known[0][0];
  const last = known.at(-1)[0];
  const top = Math.max(...known.slice(0, 400).map((each) => Math.max(each[1], each[2])), 1e-3);
  const every = Math.max(1, Math.floor(known.length / width));
  const line = (column, color, dash) => {
    context.beginPath();
    known.forEach((record, index) => {
      if (index % every && index !== known.length - 1) return;
      const x = ((record[0] - first) / Math.max(1, last - first)) * (width - 2) + 1;
      const y = height - 2 - Math.min(1, record[column] / top) * (height - 6);
      context.lineTo(x, y);
    });
    context.strokeStyle = color;
    context.lineWidth = 1.8;
    context.setLineDash(dash);
    context.stroke();
  };
  line(2, colors.classes[0], []);
  line(1, colors.text, [5, 3]);
}

/** Return a number from 0 to 1 that looks random. */
function scattered(number) {
  return Math.abs(Math.sin(number * 12.9898) * 43758.5453) % 1;
}

/** Return a place in a disk that looks random. */
function inDisk(number, radius) {
  const [away, angle] = [radius * Math.sqrt(scattered(number)), 6.283 * scattered(number + 0.5)];
  return [away * Math.cos(angle), away * Math.sin(angle)];
}

/** The small pictures of the data sets: functions from a share of 1 to a place and a class. */
const PREVIEWS = {
  circle: (share, turn) => (turn % 2 ? [0.34 * Math.cos(turn), 0.34 * Math.sin(turn), 1]
    : [0.85 * Math.cos(turn), 0.85 * Math.sin(turn), 0]),
  xor: (share, turn) => {
    const [x, y] = [turn % 8, Math.floor(turn / 8)].map((each) => (each - 3.5) / 4.4 + (each > 3 ? 0.08 : -0.08));
    return [x, y, Number(x * y > 0)];
  },
  gauss: (share, turn) => {
    const side = turn % 2 ? 1 : -1;
    const [x, y] = inDisk(turn, 0.45);
    return [side * 0.42 + x, side * 0.42 + y, turn % 2];
  },
  spiral: (share, turn) => {
    const angle = 11 * share + (turn % 2 ? Math.PI : 0);
    return [0.92 * share * Math.sin(angle), 0.92 * share * Math.cos(angle), turn % 2];
  },
  moons: (share, turn) => {
    const side = turn % 2 ? -1 : 1;
    const angle = Math.PI * share;
    return [side * (0.6 * Math.cos(angle) - 0.28), side * (0.8 * Math.sin(angle) - 0.25), turn % 2];
  },
  iris: (share, turn) => {
    const label = turn % 3;
    const [x, y] = inDisk(turn, 0.3);
    const center = [[-0.65, -0.65], [0.1, 0.15], [0.55, 0.65]][label];
    return [center[0] + x, center[1] + y, label];
  },
};

/** Draw the small picture of a data set. */
function drawPreview(canvas, name, colors) {
  const { context, width, height } = sharpContext(canvas);
  const place = (x, y) => [((x + 1) / 2) * width, ((1 - y) / 2) * height];
  if (name === "plane" || name === "hills") {
    for (let row = 0; row < 12; row += 1) {
      for (let column = 0; column < 12; column += 1) {
        const [x, y] = [(column - 5.5) / 6, (row - 5.5) / 6];
        const value = name === "plane" ? (x + y) / 1.8 : Math.sin(4.7 * x) * Math.sin(3.1 * y);
        context.fillStyle = valueColor(value, colors);
        context.fillRect((column * width) / 12, height - ((row + 1) * height) / 12, width / 12, height / 12);
      }
    }
    return;
  }
  if (name === "own") {
    context.strokeStyle = colors.text;
    context.lineWidth = 2;
    context.beginPath();
    for (const [x, y] of [[-0.6, -0.6], [-0.45, -0.15], [0.45, 0.7], [0.7, 0.45], [-0.15, -0.45], [-0.6, -0.6]]) {
      context.lineTo(...place(x, y));
    }
    context.stroke();
    return;
  }
  for (let index = 0; index < 64; index += 1) {
    const [x, y, label] = PREVIEWS[name]((index + 0.5) / 64, index);
    context.fillStyle = colors.classes[label];
    context.beginPath();
    context.arc(...place(x, y), 1.6, 0, 7);
    context.fill();
  }
}
