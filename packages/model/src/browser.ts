// What bundlers for browsers get as '@sbp/model': all of index.ts that needs no file system.
export * from './anywhere.js';
export { loadModel, saveModel } from './in-browser.js';
