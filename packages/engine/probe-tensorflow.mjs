// Loads TensorFlow in a process of its own, since what is loaded can't be unloaded and a bad library may crash, and
// runs a convolution. Argument: JSON of a candidate for loadCandidate, or of loadTensorflow's options.
import { loadCandidate, loadTensorflow } from './dist/tensorflow/load.js';

const { candidate, ...options } = JSON.parse(process.argv[2]);
const { tf, packageName, packageFolder, from, version, device } = candidate
  ? loadCandidate(candidate)
  : await loadTensorflow(options);
const sums = tf.tidy(() => tf.conv2d(tf.ones([1, 4, 4, 1]), tf.ones([3, 3, 1, 2]), 1, 'valid').dataSync());
if (sums.length !== 8 || sums.some((sum) => sum !== 9)) {
  throw new Error(`a convolution of ones with nine ones gave ${sums} instead of nines`);
}
console.log(JSON.stringify({ packageName, packageFolder, from, version, device }));
