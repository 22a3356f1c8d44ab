/** Our workflows with faults that nobody foresaw: in a step called `faulty`, and at the end of blueprints called `faulty`. */
import { run as ours, agent } from '../../../workflows/index.ts';
import { RunView } from '../../../workflows/view.ts';

// oxlint-disable-next-line typescript/unbound-method -- called on its object below
const { begin, end } = RunView.prototype;

RunView.prototype.begin = function (path, ...rest) {
  if (path === 'faulty') throw new TypeError('nobody foresaw this step');
  return begin.call(this, path, ...rest);
};
RunView.prototype.end = function (how) {
  if (this.state.blueprint.name === 'faulty-end') throw new TypeError('nobody foresaw this end');
  end.call(this, how);
};

export { agent, ours as run };
