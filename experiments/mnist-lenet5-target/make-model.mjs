// LeNet-5 without noise, with its first weights, which `npm run pretrain` trains.
import { leNet5 } from '@sbp/layers';
import { saveModel } from '@sbp/model';

await saveModel(leNet5({ noise: false }), 'untrained');
