// ResNet-20 with its first weights, which `npm run pretrain` trains.
import { resNet20 } from '@sbp/benchmarks/resnet20';
import { saveModel } from '@sbp/model';

await saveModel(resNet20(), 'untrained');
