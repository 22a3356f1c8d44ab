/** An interpreter that goes another way than ours: beside its first activity it starts a timer. */
import { sleep } from '@temporalio/workflow';
import { run as ours } from '../../../workflows/index.ts';

export { agent } from '../../../workflows/index.ts';

export async function run(...request: Parameters<typeof ours>): ReturnType<typeof ours> {
  const end = ours(...request);
  await sleep(1);
  return end;
}
