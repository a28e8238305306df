export { toTfjs } from './to-tfjs.js';
