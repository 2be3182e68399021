// Questions to Python, and its answers: by HTTP from a page, by messages from a widget.

/** Return the header and the bytes of an answer. */
function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return { header, body: buffer.slice(4 + length) };
}

/** Return a function that asks the server of this page. */
function askServer() {
  const page = Array.from(crypto.getRandomValues(new Uint32Array(4)), (each) => each.toString(36)).join("");
  return async (request) => {
    const response = await fetch("ask", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...request, page }),
    });
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    return unpack(await response.arrayBuffer());
  };
}

/** Return a function that asks the Python object of a widget. */
function askKernel(model) {
  const waiting = new Map();
  let count = 0;
  const receive = (message, buffers) => {
    const resolve = waiting.get(message?.number);
    if (resolve === undefined) return;
    waiting.delete(message.number);
    const view = buffers[0];
    // A view of a message may begin anywhere in its buffer.
    resolve(unpack(view.buffer ? view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) : view));
  };
  model.on("msg:custom", receive);
  const ask = (request) =>
    new Promise((resolve) => {
      count += 1;
      // Two views of one widget receive all its messages.
      const number = `${ask.view}:${count}`;
      waiting.set(number, resolve);
      model.send({ number, request: { ...request, page: ask.view } });
    });
  ask.view = Array.from(crypto.getRandomValues(new Uint32Array(2)), (each) => each.toString(36)).join("");
  ask.close = () => model.off("msg:custom", receive);
  return ask;
}

/**
 * Return the weights and surfaces of an answer.
 * @param {{header: Object, body: ArrayBuffer}} answer The answer.
 * @param {Object} shape The header of the answer to "start".
 */
function frameOf({ header, body }, shape) {
  let position = 0;
  const take = (count, size) => {
    const planes = [];
    for (let index = 0; index < count; index += 1) {
      planes.push(new Uint8Array(body, position, size * size));
      position += size * size;
    }
    return planes;
  };
  const weights = new Float32Array(body, 0, header.weights);
  position = 4 * header.weights;
  const outputs = take(shape.outputs, shape.size);
  const units = take(header.units, shape.unitSize);
  const features = position < body.byteLength ? take(shape.settings.features.length, shape.unitSize) : null;
  return { ...header, weights, outputs, units, features };
}
