/** Masks the secrets that this process knows, wherever text leaves it: Temporal keeps failures in clear. */
const secretName = /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL)/i;
const minSecretLength = 8;

export function createRedact(env: NodeJS.ProcessEnv): (text: string) => string {
  const secrets = Object.entries(env)
    .filter(([name, value]) => secretName.test(name) && value !== undefined && value.length >= minSecretLength)
    .flatMap(([, value = '']) => [value, Buffer.from(value).toString('base64'), encodeURIComponent(value)]);
  return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, '[redacted]'), text);
}
