// What the declarations must refuse: TypeScript complains about each line where it finds nothing to refuse.
import { connect } from 'clawws';
import { useClawws } from 'clawws/react';

export function wrongUse() {
  // @ts-expect-error a list is wanted
  connect({ types: 'session.*' });
  // @ts-expect-error there is no such option
  connect({ sinse: 'earliest' });
  // @ts-expect-error it may not be there yet
  return useClawws().state.sessions.size;
}
