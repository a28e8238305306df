// For programs that import tfjs-node themselves, on Node 22 or newer: `node --import @sbp/engine/compat app.js`.
import { supplyRemovedUtil } from './removed-util.js';

supplyRemovedUtil();
