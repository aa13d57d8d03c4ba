# What install.sh makes of the host itself: packages, user, settings, secrets, two Redis, the database.
# Sourced by it, behind lib.sh.

QUEUE_PORT=${QUEUE_PORT:-6390}
CACHE_PORT=${CACHE_PORT:-6391}

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

# What an installation is it stays, unless another port is given; LIVE and PAPER never change.
go_on_as_it_is() {
	before=$(kept TRADESWIM_ENVIRONMENT)
	TRADESWIM_ENVIRONMENT=${TRADESWIM_ENVIRONMENT:-$before}
	[ -z "$before" ] || [ "$TRADESWIM_ENVIRONMENT" = "$before" ] ||
		die "TRADESWIM_ENVIRONMENT is $TRADESWIM_ENVIRONMENT, and this installation is $before for ever: take another host."
	site_port=$(port_of ' ssl http2;')
	HTTPS=${HTTPS:-${site_port:-443}}
	HTTP=${HTTP:-$(port_of ';')}
	HTTP=${HTTP:-80}
}

# $1: where it is now. The address that browsers use, which may have been changed by hand since.
set_address() {
	[ "$1" != "$HOST $HTTPS" ] || return 0
	port=${HTTPS##*:}
	[ "$port" != 443 ] || port=""
	setting TRADESWIM_WEB_URL "https://$HOST${port:+:$port}"
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
	setting DJANGO_SETTINGS_MODULE tradeswim.settings.production
	setting TRADESWIM_ENVIRONMENT "$TRADESWIM_ENVIRONMENT"
	setting TRADESWIM_HOME "$HOME_DIR"
	setting TRADESWIM_STATIC_ROOT "$CURRENT/staticfiles"
	set_address "$(kept TRADESWIM_HOSTS) $site_port"
	setting TRADESWIM_HOSTS "$HOST"
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
