/**
 * Masks secrets wherever text leaves this process, since Temporal keeps failures in clear text. It knows secrets by the
 * names of environment variables, and those that it was given.
 */
const secretName = /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL)/i;
const minSecretLength = 8;

/**
 * Makes the function that replaces secrets by `[redacted]`, also in base64 and in a URL's encoding. Secrets of fewer
 * than eight characters are not masked.
 */
export function createRedact(env: NodeJS.ProcessEnv, known: string[] = []): (text: string) => string {
  const named = Object.entries(env).flatMap(([name, value = '']) => (secretName.test(name) ? [value] : []));
  const secrets = [...named, ...known]
    .filter((value) => value.length >= minSecretLength)
    .flatMap((value) => [value, Buffer.from(value).toString('base64'), encodeURIComponent(value)]);
  return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, '[redacted]'), text);
}
