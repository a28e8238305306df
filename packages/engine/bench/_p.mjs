import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs';
import { loadTensorflow } from '../dist/index.js';

const { packageFolder } = await loadTensorflow();
const pb = createRequire(packageFolder + '/package.json')('./dist/proto/api_pb.js');
const backend = tf.backend();
const native = backend.binding;
const dts = { 1: Float32Array };
export function trace(fn, args) {
  const nodes = [];
  const ids = new Map();
  const argIds = backend.getInputTensorIds(args);
  argIds.forEach((id, i) => {
    nodes.push({
      name: `arg${i}`,
      op: 'Placeholder',
      inputs: [],
      attrs: [],
      dtype: backend.tensorMap.get(args[i].dataId).dtype,
      shape: args[i].shape,
    });
    ids.set(id, `arg${i}`);
  });
  backend.binding = Object.create(native, {
    executeOp: {
      value(name, attrs, inputs, n) {
        const out = native.executeOp(name, attrs, inputs, n);
        const node = {
          name: `n${nodes.length}`,
          op: name,
          inputs: inputs.map((id) => {
            if (!ids.has(id)) throw new Error('captured');
            return ids.get(id);
          }),
          attrs,
          out,
        };
        nodes.push(node);
        out.forEach((o, k) => ids.set(o.id, k ? `${node.name}:${k}` : node.name));
        return out;
      },
    },
    createTensor: {
      value(shape, dtype, values) {
        const id = native.createTensor(shape, dtype, values);
        const node = {
          name: `c${nodes.length}`,
          op: 'Const',
          inputs: [],
          attrs: [],
          dtype,
          shape,
          values: values.slice(),
        };
        nodes.push(node);
        ids.set(id, node.name);
        return id;
      },
    },
  });
  let outs;
  try {
    outs = tf.tidy(() => fn(...args));
    var outIds = backend.getInputTensorIds(outs);
  } finally {
    backend.binding = native;
  }
  outIds.forEach((id, i) =>
    nodes.push({
      name: `out${i}`,
      op: 'Identity',
      inputs: [ids.get(id)],
      attrs: [{ name: 'T', type: native.TF_ATTR_TYPE, value: backend.tensorMap.get(outs[i].dataId).dtype }],
    }),
  );
  outs.forEach((o) => o.dispose());
  return nodes;
}
const B = native;
function shapeOf(s) {
  const p = new pb.TensorShape();
  for (const d of s) {
    const x = new pb.TensorShape.Dim();
    x.setSize(d);
    p.addDim(x);
  }
  return p;
}
function attr(type, value) {
  const a = new pb.AttrValue();
  const list = Array.isArray(value) && type !== B.TF_ATTR_SHAPE ? new pb.AttrValue.ListValue() : null;
  switch (type) {
    case B.TF_ATTR_STRING:
      a.setS(Buffer.from(value).toString('base64'));
      break;
    case B.TF_ATTR_INT:
      list ? list.setIList(value) : a.setI(value);
      break;
    case B.TF_ATTR_FLOAT:
      list ? list.setFList(value) : a.setF(value);
      break;
    case B.TF_ATTR_BOOL:
      list ? list.setBList(value) : a.setB(value);
      break;
    case B.TF_ATTR_TYPE:
      a.setType(value);
      break;
    case B.TF_ATTR_SHAPE:
      a.setShape(shapeOf(value));
      break;
  }
  if (list) a.setList(list);
  return a;
}
export function build(nodes) {
  const g = new pb.GraphDef();
  for (const n of nodes) {
    const d = new pb.NodeDef();
    d.setName(n.name);
    d.setOp(n.op);
    d.setInputList(n.inputs);
    const m = d.getAttrMap();
    for (const a of n.attrs) if (a.value != null) m.set(a.name, attr(a.type, a.value));
    if (n.op === 'Placeholder') {
      m.set('dtype', attr(B.TF_ATTR_TYPE, n.dtype));
      m.set('shape', attr(B.TF_ATTR_SHAPE, n.shape));
    }
    if (n.op === 'Const') {
      m.set('dtype', attr(B.TF_ATTR_TYPE, n.dtype));
      const t = new pb.Tensor();
      t.setDtype(n.dtype);
      t.setTensorShape(shapeOf(n.shape));
      t.setTensorContent(new Uint8Array(n.values.buffer, n.values.byteOffset, n.values.byteLength));
      const a = new pb.AttrValue();
      a.setTensor(t);
      m.set('value', a);
    }
    g.addNode(d);
  }
  const v = new pb.VersionDef();
  v.setProducer(1286);
  g.setVersions(v);
  const mg = new pb.MetaGraphDef();
  const mi = new pb.MetaGraphDef.MetaInfoDef();
  mi.addTags('serve');
  mg.setMetaInfoDef(mi);
  mg.setGraphDef(g);
  const sm = new pb.SavedModel();
  sm.setSavedModelSchemaVersion(1);
  sm.addMetaGraphs(mg);
  const dir = mkdtempSync('/tmp/g/sm');
  writeFileSync(dir + '/saved_model.pb', sm.serializeBinary());
  const id = native.loadSavedModel(dir, 'serve');
  rmSync(dir, { recursive: true });
  const ins = nodes
      .filter((n) => n.op === 'Placeholder')
      .map((n) => n.name)
      .join(','),
    outs = nodes
      .filter((n) => n.name.startsWith('out'))
      .map((n) => n.name)
      .join(',');
  return (args) =>
    native
      .runSavedModel(id, backend.getInputTensorIds(args), ins, outs)
      .map((m) => backend.createOutputTensor(m));
}
export { backend, native, pb, tf };
