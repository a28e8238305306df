// LeNet-5 and LeNet-fc without noise, with their first weights, which `npm run pretrain` trains.
import { leNet5, leNetFc } from '@sbp/layers';
import { saveModel } from '@sbp/model';

await saveModel(leNet5({ noise: false }), 'untrained/lenet5');
await saveModel(leNetFc({ noise: false }), 'untrained/lenet-fc');
