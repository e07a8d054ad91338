import { createRepository, type FixtureRecipe } from '../abra/testing/fixture-recipe.js';

/** The two published versions of each recipe here. */
export const OLDER = '1.0.0+v3.6.11';
export const NEWER = '1.1.0+v3.6.12';

/** The image that a version of the stand-in for Traefik asks for. */
export const traefikImage = (version: string) => `traefik:${version.split('+')[1]}`;

/** What runs in the recipe's place of Traefik. */
export interface TraefikProgram {
  command: readonly string[];
  /** Volumes of its service, as a compose file has them. */
  volumes: readonly string[];
}

const STAND_IN: TraefikProgram = { command: ['sh', '-c', 'exec httpd -f -p 80'], volumes: [] };

/** The real one, in an image that also has busybox. */
export const REAL_TRAEFIK: TraefikProgram = {
  command: ['/traefik'],
  volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro'],
};

/**
 * A recipe `traefik` that stands for the real one: the same names of compose files, variables, secrets and configs
 * (abra contract 7), so that it is deployed the same way. Its image is whatever is called `traefikImage(version)`.
 */
export async function createTraefikRecipe(folder: string, program = STAND_IN): Promise<FixtureRecipe> {
  const recipe = await createRepository(folder, 'traefik');
  await recipe.commit({
    'compose.yml': traefikCompose(OLDER, program),
    'compose.wildcard.yml': WILDCARD,
    'compose.host.yml': HOST,
    '.env.sample': TRAEFIK_ENV,
    'abra.sh': 'export TRAEFIK_YML_VERSION=v1\nexport FILE_PROVIDER_YML_VERSION=v1\n',
    'traefik.yml.tmpl': TRAEFIK_YML,
    'file-provider.yml.tmpl': FILE_PROVIDER,
    'README.md': '# traefik\n',
  });
  await recipe.tag(OLDER);
  await recipe.commit({
    'compose.yml': traefikCompose(NEWER, program),
    '.env.sample': `${TRAEFIK_ENV}# New in this version\nLOG_MAX_AGE=0\n`,
  });
  await recipe.tag(NEWER);
  await recipe.commit({ 'README.md': '# traefik\n\nNot published yet.\n' });
  return recipe;
}

function traefikCompose(version: string, { command, volumes }: TraefikProgram): string {
  return `version: "3.8"
services:
  app:
    image: ${traefikImage(version)}
    command: ${JSON.stringify(command)}
    volumes: ${JSON.stringify(volumes)}
    stop_signal: SIGKILL
    healthcheck:
      test: ["CMD", "true"]
      interval: 300ms
    ports:
      - "80:80"
      - "443:443"
    configs:
      - source: traefik_yml
        target: /etc/traefik/traefik.yml
      - source: file_provider_yml
        target: /etc/traefik/file-provider.yml
    networks: [proxy, internal]
    environment:
      - DASHBOARD_ENABLED
      - LOG_LEVEL
    deploy:
      update_config:
        failure_action: rollback
        order: start-first
        monitor: 500ms
      labels:
        - "traefik.enable=true"
        - "traefik.http.services.\${STACK_NAME}.loadbalancer.server.port=8080"
        - "traefik.http.routers.\${STACK_NAME}.rule=Host(\`\${DOMAIN}\`)"
        - "traefik.http.routers.\${STACK_NAME}.entrypoints=web-secure"
        - "traefik.http.routers.\${STACK_NAME}.tls.certresolver=\${LETS_ENCRYPT_ENV}"
        - "coop-cloud.\${STACK_NAME}.version=${version}"
        - "coop-cloud.\${STACK_NAME}.timeout=\${TIMEOUT:-120}"
  socket-proxy:
    image: ${traefikImage(version)}
    command: ["sleep", "infinity"]
    stop_signal: SIGKILL
    healthcheck:
      test: ["CMD", "true"]
      interval: 300ms
    networks: [internal]
    deploy:
      update_config:
        monitor: 500ms
networks:
  proxy:
    external: true
  internal: {}
configs:
  traefik_yml:
    name: \${STACK_NAME}_traefik_yml_\${TRAEFIK_YML_VERSION}
    file: traefik.yml.tmpl
    template_driver: golang
  file_provider_yml:
    name: \${STACK_NAME}_file_provider_yml_\${FILE_PROVIDER_YML_VERSION}
    file: file-provider.yml.tmpl
    template_driver: golang
`;
}

const WILDCARD = `version: "3.8"
services:
  app:
    environment:
      - WILDCARDS_ENABLED
    secrets: [ssl_cert, ssl_key]
secrets:
  ssl_cert:
    external: true
    name: \${STACK_NAME}_ssl_cert_\${SECRET_WILDCARD_CERT_VERSION}
  ssl_key:
    external: true
    name: \${STACK_NAME}_ssl_key_\${SECRET_WILDCARD_KEY_VERSION}
`;

const HOST = `version: "3.8"
services:
  app:
    ports:
      - target: 80
        published: 80
        protocol: tcp
        mode: host
      - target: 443
        published: 443
        protocol: tcp
        mode: host
    deploy:
      update_config:
        order: stop-first
`;

const TRAEFIK_ENV = `TYPE=traefik

DOMAIN=traefik.example.com
LETS_ENCRYPT_ENV=production
LETS_ENCRYPT_EMAIL=certs@example.com
LOG_LEVEL=WARN
COMPOSE_FILE="compose.yml"

## Manual wildcard certificate insertion
#WILDCARDS_ENABLED=1
#SECRET_WILDCARD_CERT_VERSION=v1
#SECRET_WILDCARD_KEY_VERSION=v1
#COMPOSE_FILE="$COMPOSE_FILE:compose.wildcard.yml"
`;

const TRAEFIK_YML = `log:
  level: {{ env "LOG_LEVEL" }}
providers:
  swarm:
    endpoint: "unix:///var/run/docker.sock"
    exposedByDefault: false
    network: proxy
  file:
    filename: /etc/traefik/file-provider.yml
entrypoints:
  web:
    address: ":80"
    http:
      redirections:
        entryPoint:
          to: web-secure
  web-secure:
    address: ":443"
certificatesResolvers:
  production:
    acme:
      email: {{ env "LETS_ENCRYPT_EMAIL" }}
      storage: /etc/letsencrypt/production-acme.json
      httpChallenge:
        entryPoint: web
`;

const FILE_PROVIDER = `tls:
  options:
    default:
      sniStrict: true
{{ if eq (env "WILDCARDS_ENABLED") "1" }}
  certificates:
    - certFile: /run/secrets/ssl_cert
      keyFile: /run/secrets/ssl_key
{{ end }}
`;

/** A recipe `backup-bot-two` that stands for the real one (abra contract 6.2). */
export async function createBackupbotRecipe(folder: string): Promise<FixtureRecipe> {
  const recipe = await createRepository(folder, 'backup-bot-two');
  await recipe.commit({
    'compose.yml': `version: "3.8"
services:
  app:
    image: ${traefikImage(NEWER)}
    command: ["sleep", "infinity"]
    stop_signal: SIGKILL
    healthcheck:
      test: ["CMD", "true"]
      interval: 300ms
    volumes:
      - backups:/backups
    environment:
      - CRON_SCHEDULE
      - RESTIC_REPOSITORY
      - RESTIC_PASSWORD_FILE=/run/secrets/restic_password
    secrets: [restic_password]
    deploy:
      labels:
        - "coop-cloud.backupbot.enabled=true"
        - "coop-cloud.\${STACK_NAME}.version=${NEWER}"
        - "coop-cloud.\${STACK_NAME}.timeout=\${TIMEOUT:-120}"
volumes:
  backups:
secrets:
  restic_password:
    external: true
    name: \${STACK_NAME}_restic_password_\${SECRET_RESTIC_PASSWORD_VERSION}
`,
    '.env.sample': `TYPE=backup-bot-two

RESTIC_REPOSITORY=/backups/restic
CRON_SCHEDULE='30 3 * * *'
SECRET_RESTIC_PASSWORD_VERSION=v1
COMPOSE_FILE=compose.yml
`,
    'README.md': '# backup-bot-two\n',
  });
  await recipe.tag(NEWER);
  return recipe;
}
