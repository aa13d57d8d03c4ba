#!/bin/sh
# Install Tradeswim on a Debian 12 or Ubuntu 24.04 host, or bring an installation up to what is asked for.
# docs/deployment.md says what each variable does; without a terminal nothing is asked.
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
. "$ROOT/deploy/lib.sh"

QUEUE_PORT=${QUEUE_PORT:-6390}
CACHE_PORT=${CACHE_PORT:-6391}
CERTIFICATES=$SETTINGS/tls
ACME=/var/www/tradeswim-acme
left=""

main() {
	[ "$(id -u)" = 0 ] || die "this must be run by root."
	check_system
	ask_what_is_missing
	install_packages
	make_user
	make_settings
	make_secrets
	make_queues
	make_database
	name=$(release_name)
	lay_release "$name"
	collect_static "$name"
	make_keys "$name"
	make_backup_key "$name"
	stop_everything # what runs would go on with the old code, and load the new one's beside it
	migrate "$name"
	make_admin "$name"
	switch_to "$name"
	install_units
	start_units
	make_site
	tell
}

check_system() {
	system=$(. /etc/os-release && echo "$ID-$VERSION_ID") # in a shell of its own: it sets VERSION, too
	case $system in
	debian-12 | ubuntu-24.04) ;;
	ubuntu-22.04)
		"${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
			die "Ubuntu 22.04 comes with Python 3.10. Install a newer one, and name it: PYTHON=python3.11"
		;;
	*) [ -n "${ANY_SYSTEM:-}" ] || die "this is $system. Debian 12 and Ubuntu 24.04 are supported; ANY_SYSTEM=1 goes on all the same." ;;
	esac
}

# $1: variable, $2: question, $3: default, $4: "hidden" for a password
ask() {
	eval "answer=\${$1:-}"
	if [ -z "$answer" ] && [ -t 0 ]; then
		[ "${4:-}" != hidden ] || stty -echo
		printf '%s%s: ' "$2" "${3:+ [$3]}" >&2
		read -r answer || true
		[ "${4:-}" != hidden ] || { stty echo && echo >&2; }
	fi
	answer=${answer:-$3}
	[ -n "$answer" ] || die "$1 is not set: $2."
	eval "$1=\$answer"
}

ask_what_is_missing() {
	kept=""
	if [ -e "$SETTINGS/tradeswim.env" ]; then
		kept=$(sed -n 's/^TRADESWIM_HOSTS=//p' "$SETTINGS/tradeswim.env")
	fi
	ask HOST "name of the host, as browsers will call it" "$kept"
	ask TRADESWIM_ENVIRONMENT "PAPER or LIVE" PAPER
	case $TRADESWIM_ENVIRONMENT in PAPER | LIVE) ;; *) die "TRADESWIM_ENVIRONMENT must be PAPER or LIVE." ;; esac
	if [ -n "${CERTIFICATE:-}" ]; then
		TLS=given
	elif [ -n "${CERTBOT_EMAIL:-}" ]; then
		TLS=certbot
	fi
	ask TLS "certificate: given, certbot or self-signed" ""
	case $TLS in
	given)
		ask CERTIFICATE "file of the certificate with its chain" ""
		ask CERTIFICATE_KEY "file of its key" ""
		[ -r "$CERTIFICATE" ] && [ -r "$CERTIFICATE_KEY" ] || die "the certificate or its key cannot be read."
		;;
	certbot) ask CERTBOT_EMAIL "address for the certificate authority's letters" "" ;;
	self-signed) ;;
	*) die "TLS must be given, certbot or self-signed." ;;
	esac
	if [ ! -e "$SETTINGS/.admin" ]; then
		ask ADMIN_USER "name of the first administrator" admin
		ask ADMIN_PASSWORD "password of $ADMIN_USER, at least 15 characters" "" hidden
		[ ${#ADMIN_PASSWORD} -ge 15 ] || die "ADMIN_PASSWORD is shorter than 15 characters."
	fi
}

install_packages() {
	wanted="nginx redis-server openssl ca-certificates curl adduser"
	[ -n "${PYTHON:-}" ] || wanted="$wanted python3 python3-venv"
	[ -n "${DATABASE_URL:-}" ] || wanted="$wanted postgresql"
	[ "$TLS" != certbot ] || wanted="$wanted certbot"
	[ -z "${WITH_BROWSER:-}" ] || wanted="$wanted chromium"
	had_redis=$(dpkg -s redis-server 2>/dev/null | grep -c '^Status: install ok' || true)
	missing=""
	for package in $wanted; do
		dpkg -s "$package" 2>/dev/null | grep -q '^Status: install ok' || missing="$missing $package"
	done
	if [ -n "$missing" ]; then
		say "installing$missing"
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -qq
		# shellcheck disable=SC2086
		apt-get install -y -qq --no-install-recommends $missing >/dev/null
	fi
	if [ "$had_redis" = 0 ] && has_systemd; then # ours are instances of their own
		systemctl disable --quiet --now redis-server.service
	fi
	version=$(nginx -v 2>&1 | sed 's|.*nginx/\([0-9.]*\).*|\1|')
	[ "$(printf '%s\n1.19.4\n' "$version" | sort -V | head -1)" = 1.19.4 ] ||
		die "nginx $version is too old: 1.19.4 or newer is needed (ssl_reject_handshake)."
}

make_user() {
	if ! id tradeswim >/dev/null 2>&1; then
		say "making the user tradeswim"
		adduser --system --group --quiet --home "$HOME_DIR" --no-create-home --shell /usr/sbin/nologin tradeswim
	fi
	install -d -m 0700 -o tradeswim -g tradeswim "$HOME_DIR"
}

# $1: name, $2: value. Replace the line of this name, or add one.
setting() {
	file=$SETTINGS/tradeswim.env
	if grep -q "^$1=" "$file"; then
		sed -i "s|^$1=.*|$1=$2|" "$file"
	else
		echo "$1=$2" >>"$file"
	fi
}

# Settings are readable by all, for no secret is among them; what was edited by hand and is not asked for stays.
make_settings() {
	install -d -m 0755 "$SETTINGS"
	if [ ! -e "$SETTINGS/tradeswim.env" ]; then
		echo "# Settings of this installation; .env.example in $CURRENT explains them." >"$SETTINGS/tradeswim.env"
		setting PAPER_PORT 8182
		setting PORT 8000
	fi
	chmod 0644 "$SETTINGS/tradeswim.env"
	https=${HTTPS:-443}
	setting DJANGO_SETTINGS_MODULE tradeswim.settings.production
	setting TRADESWIM_ENVIRONMENT "$TRADESWIM_ENVIRONMENT"
	setting TRADESWIM_HOME "$HOME_DIR"
	setting TRADESWIM_STATIC_ROOT "$CURRENT/staticfiles"
	setting TRADESWIM_HOSTS "$HOST"
	if [ "$https" = 443 ]; then
		setting TRADESWIM_WEB_URL "https://$HOST"
	else
		setting TRADESWIM_WEB_URL "https://$HOST:$https"
	fi
	for name in PORT PAPER_PORT DEMO_ACCOUNTS DEMO_ACCOUNTS_PER_LOGIN TRADESWIM_HOST_NAME TRADESWIM_BROWSER; do
		eval "given=\${$name:-}"
		[ -z "$given" ] || setting "$name" "$given"
	done
}

# $1: name, $2: value. A secret that is there is never replaced.
secret() {
	[ ! -s "$SECRETS/$1" ] || return 0
	(umask 077 && printf '%s\n' "$2" >"$SECRETS/.$1" && mv "$SECRETS/.$1" "$SECRETS/$1")
}

random() {
	openssl rand -hex 32
}

make_secrets() {
	install -d -m 0700 "$SECRETS"
	secret secret-key "$(random)"
	secret queue-url "redis://:$(random)@127.0.0.1:$QUEUE_PORT/0"
	secret cache-url "redis://:$(random)@127.0.0.1:$CACHE_PORT/0"
	# By the user's own name on the server's socket: no password to keep.
	secret database-url "${DATABASE_URL:-postgres://tradeswim@%2Frun%2Fpostgresql/tradeswim}"
}

# $1: queue or cache. The rest of its configuration comes from standard input.
redis_instance() {
	name=tradeswim-$1
	address=$(cat "$SECRETS/$1-url")
	password=${address#redis://:} port=${address##*:}
	password=${password%%@*} port=${port%%/*}
	install -d -m 0750 -o redis -g redis "/var/lib/redis/$name"
	{
		echo "# Written by Tradeswim's install.sh."
		echo "bind 127.0.0.1"
		echo "port $port"
		echo "requirepass $password"
		echo "dir /var/lib/redis/$name"
		echo "pidfile /run/redis-$name/redis-server.pid"
		cat
	} >"$SETTINGS/.redis"
	install -m 0640 -o root -g redis "$SETTINGS/.redis" "/etc/redis/redis-$name.conf"
	rm -f "$SETTINGS/.redis"
}

# Two instances: a cache that is full must not stop orders (docs/architecture.md).
make_queues() {
	say "making the queue and the cache"
	umask 077
	redis_instance queue <<-'END'
		save ""
		appendonly yes
		appendfsync everysec
		maxmemory 256mb
		maxmemory-policy noeviction
	END
	redis_instance cache <<-'END'
		save ""
		appendonly no
		maxmemory 256mb
		maxmemory-policy volatile-lru
	END
	umask 022
	if has_systemd; then
		systemctl enable --quiet redis-server@tradeswim-queue redis-server@tradeswim-cache
		systemctl restart redis-server@tradeswim-queue redis-server@tradeswim-cache
	else
		left="$left
  - start Redis twice: redis-server /etc/redis/redis-tradeswim-queue.conf, …-cache.conf, as the user redis"
	fi
}

as_postgres() {
	(cd / && runuser -u postgres -- "$@")
}

make_database() {
	[ -z "${DATABASE_URL:-}" ] || return 0
	grep -q '@%2Frun%2Fpostgresql/' "$SECRETS/database-url" || return 0
	as_postgres pg_isready -q || service postgresql start >/dev/null
	for try in 1 2 3 4 5 6 7 8 9 10; do
		as_postgres pg_isready -q && break
		[ $try -lt 10 ] || die "PostgreSQL does not run."
		sleep 1
	done
	if [ -z "$(as_postgres psql -tAc "SELECT 1 FROM pg_roles WHERE rolname = 'tradeswim'")" ]; then
		say "making the database"
		as_postgres createuser tradeswim
	fi
	if [ -z "$(as_postgres psql -tAc "SELECT 1 FROM pg_database WHERE datname = 'tradeswim'")" ]; then
		as_postgres createdb --owner=tradeswim --encoding=UTF8 --locale=C.UTF-8 --template=template0 tradeswim
	fi
}

# The command of the release that is not in use yet.
of_release() {
	release=$BASE/releases/$1
	shift
	TRADESWIM_RELEASE=$release "$release/deploy/tradeswim" "$@"
}

make_keys() {
	[ ! -s "$SECRETS/keys.json" ] || return 0
	say "making the keys"
	of_release "$1" make_keys >/dev/null
	echo "   $SECRETS/keys.json: keep a copy of it apart from every backup of the database."
}

make_backup_key() {
	[ ! -s "$SECRETS/backup.key" ] || return 0
	(umask 077 && in_release "$BASE/releases/$1" backup --make-key "$SECRETS/backup.key") >/dev/null
	echo "   $SECRETS/backup.key: keep a copy of it where no backup is."
}

migrate() {
	say "preparing the database"
	of_release "$1" migrate --verbosity 0
}

make_admin() {
	[ ! -e "$SETTINGS/.admin" ] || return 0
	say "making the administrator $ADMIN_USER"
	USER_PASSWORD=$ADMIN_PASSWORD of_release "$1" make_user "$ADMIN_USER" --role ADMIN
	touch "$SETTINGS/.admin"
}

start_units() {
	if ! has_systemd; then
		left="$left
  - start the services: systemctl enable --now tradeswim.target"
		[ "$TRADESWIM_ENVIRONMENT" = LIVE ] || left="$left tradeswim-paper.service"
		return
	fi
	systemctl enable --quiet tradeswim.target
	if [ "$TRADESWIM_ENVIRONMENT" = PAPER ]; then
		systemctl enable --quiet tradeswim-paper.service
	else
		systemctl disable --quiet --now tradeswim-paper.service 2>/dev/null || true
	fi
	say "starting"
	systemctl start --no-block tradeswim.target # one that cannot start would be waited for in vain
}

self_sign() {
	install -d -m 0700 "$CERTIFICATES"
	if ! openssl x509 -in "$CERTIFICATES/$HOST.pem" -noout -checkend 86400 >/dev/null 2>&1; then
		say "making a certificate that no browser trusts"
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
			-subj "/CN=$HOST" -addext "subjectAltName=DNS:$HOST" \
			-keyout "$CERTIFICATES/$HOST.key" -out "$CERTIFICATES/$HOST.pem" 2>/dev/null
	fi
	CERTIFICATE=$CERTIFICATES/$HOST.pem CERTIFICATE_KEY=$CERTIFICATES/$HOST.key
}

# Write the site, test it, and let nginx take it; a site that nginx refuses is taken back.
write_site() {
	site=/etc/nginx/sites-available/tradeswim.conf
	[ ! -e $site ] || cp $site $site.before
	PORT=$(sed -n 's/^PORT=//p' "$SETTINGS/tradeswim.env") IPV6=$(ls /proc/net/if_inet6 2>/dev/null || true) \
		HOST=$HOST CERTIFICATE=$CERTIFICATE CERTIFICATE_KEY=$CERTIFICATE_KEY ACME=$ACME \
		"$CURRENT/deploy/nginx/render" >$site.new
	mv $site.new $site
	ln -sf ../sites-available/tradeswim.conf /etc/nginx/sites-enabled/tradeswim.conf
	if ! nginx -t -q; then
		[ ! -e $site.before ] || mv $site.before $site
		die "nginx refuses the site; see the lines above."
	fi
	rm -f $site.before
	if has_systemd; then
		systemctl enable --quiet nginx
		systemctl reload-or-restart nginx
	fi
}

make_site() {
	say "making the site"
	install -d -m 0755 "$ACME"
	if [ "$(readlink /etc/nginx/sites-enabled/default 2>/dev/null)" = /etc/nginx/sites-available/default ]; then
		rm /etc/nginx/sites-enabled/default # Debian's page of welcome, which would be the default server
	fi
	[ "$TLS" = given ] || self_sign # with certbot only until there is a better one
	live=/etc/letsencrypt/live/$HOST
	if [ "$TLS" = certbot ] && [ -e "$live/fullchain.pem" ]; then
		CERTIFICATE=$live/fullchain.pem CERTIFICATE_KEY=$live/privkey.pem
	fi
	write_site
	if [ "$TLS" = certbot ]; then
		use_certbot
	fi
	has_systemd || left="$left
  - start nginx"
}

use_certbot() {
	install -d -m 0755 /etc/letsencrypt/renewal-hooks/deploy
	install -m 0755 "$CURRENT/deploy/certbot/reload-nginx" /etc/letsencrypt/renewal-hooks/deploy/tradeswim
	if [ ! -e "$live/fullchain.pem" ] && has_systemd; then
		say "asking for a certificate"
		certbot certonly --non-interactive --agree-tos --email "$CERTBOT_EMAIL" --key-type ecdsa \
			--webroot --webroot-path "$ACME" --domain "$HOST"
	fi
	if [ -e "$live/fullchain.pem" ]; then
		CERTIFICATE=$live/fullchain.pem CERTIFICATE_KEY=$live/privkey.pem
		write_site
	else
		left="$left
  - when nginx runs and $HOST leads here, run this again: it asks for the certificate then"
	fi
}

tell() {
	address=$(sed -n 's/^TRADESWIM_WEB_URL=//p' "$SETTINGS/tradeswim.env")
	if has_systemd; then
		wait_until_serving "$address/sign-in/" ||
			die "it does not serve yet. Look: systemctl list-units 'tradeswim*'; journalctl -u 'tradeswim*' -e"
	fi
	say "release $name, $TRADESWIM_ENVIRONMENT, $address"
	[ -z "$left" ] || echo "Left to do:$left"
}

main
