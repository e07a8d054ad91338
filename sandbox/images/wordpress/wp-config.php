<?php
/** WORDPRESS_<name>, or the text of the file that WORDPRESS_<name>_FILE names. */
function container_setting(string $name, string $default = ''): string {
    $file = getenv("WORDPRESS_{$name}_FILE");
    if ($file) {
        return rtrim(file_get_contents($file), "\r\n");
    }
    $value = getenv("WORDPRESS_$name");
    return $value === false ? $default : $value;
}

define('DB_HOST', container_setting('DB_HOST', 'db'));
define('DB_NAME', container_setting('DB_NAME', 'wordpress'));
define('DB_USER', container_setting('DB_USER', 'wordpress'));
define('DB_PASSWORD', container_setting('DB_PASSWORD'));
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
$table_prefix = container_setting('TABLE_PREFIX', 'wp_');

// The keys that sign cookies: the same in every container of a site, known to nobody else.
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $purpose) {
    define("{$purpose}_KEY", hash_hmac('sha256', "{$purpose}_KEY", DB_PASSWORD));
    define("{$purpose}_SALT", hash_hmac('sha256', "{$purpose}_SALT", DB_PASSWORD));
}

// The proxy in front speaks HTTPS, this server does not.
if (($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https') {
    $_SERVER['HTTPS'] = 'on';
}

// More PHP for this file, as the official image takes it.
eval(container_setting('CONFIG_EXTRA'));

if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
