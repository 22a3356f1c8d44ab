/** Who is who in a test cluster: one authority, and a certificate for each client and server. */
import { join } from 'node:path';
import { execa } from 'execa';
import { writeFile } from 'node:fs/promises';

export interface Certificate {
  /** Paths of PEM files. */
  certificate: string;
  key: string;
}

export interface Certificates {
  authority: Certificate;
  apiServer: Certificate;
  /** The API server as a client of the kubelet. */
  apiServerClient: Certificate;
  serviceAccounts: Certificate;
  clients: Record<ClientName, Certificate>;
}

/** Users as Kubernetes' own roles know them. */
const subjects = {
  admin: '/O=system:masters/CN=jig-test-admin',
  controllerManager: '/CN=system:kube-controller-manager',
  scheduler: '/CN=system:kube-scheduler',
  kubelet: '/O=system:nodes/CN=system:node:jig-node',
};
export type ClientName = keyof typeof subjects;
export const clientNames: ClientName[] = ['admin', 'controllerManager', 'scheduler', 'kubelet'];

/** Makes them in `folder`, valid for a week. */
export async function makeCertificates(folder: string, apiServerAddress: string): Promise<Certificates> {
  const authority = await makeAuthority(folder);
  const sign = (name: string, subject: string, extension: string): Promise<Certificate> =>
    makeSigned(folder, authority, name, subject, extension);
  const client = (name: ClientName): Promise<Certificate> => sign(name, subjects[name], 'extendedKeyUsage=clientAuth');
  const names = `subjectAltName=IP:${apiServerAddress},IP:127.0.0.1,IP:10.96.0.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc`;
  return {
    authority,
    apiServer: await sign('api-server', '/CN=kube-apiserver', `${names}\nextendedKeyUsage=serverAuth`),
    apiServerClient: await sign(
      'api-server-client',
      '/O=system:masters/CN=kube-apiserver-kubelet-client',
      'extendedKeyUsage=clientAuth',
    ),
    serviceAccounts: await sign('service-accounts', '/CN=service-accounts', 'extendedKeyUsage=clientAuth'),
    clients: {
      admin: await client('admin'),
      controllerManager: await client('controllerManager'),
      scheduler: await client('scheduler'),
      kubelet: await client('kubelet'),
    },
  };
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

async function makeAuthority(folder: string): Promise<Certificate> {
  const made = { certificate: join(folder, 'authority.crt'), key: join(folder, 'authority.key') };
  await execa('openssl', [
    'req',
    '-x509',
    ...newKey,
    '-days',
    '7',
    '-subj',
    '/CN=jig-test-authority',
    '-keyout',
    made.key,
    '-out',
    made.certificate,
  ]);
  return made;
}

async function makeSigned(
  folder: string,
  authority: Certificate,
  name: string,
  subject: string,
  extensions: string,
): Promise<Certificate> {
  const path = (suffix: string): string => join(folder, `${name}.${suffix}`);
  await execa('openssl', ['req', ...newKey, '-subj', subject, '-keyout', path('key'), '-out', path('csr')]);
  await writeFile(path('ext'), `${extensions}\n`);
  await execa('openssl', [
    'x509',
    '-req',
    '-in',
    path('csr'),
    '-CA',
    authority.certificate,
    '-CAkey',
    authority.key,
    '-CAcreateserial',
    '-days',
    '7',
    '-extfile',
    path('ext'),
    '-out',
    path('crt'),
  ]);
  return { certificate: path('crt'), key: path('key') };
}
