# shellcheck shell=bash
# Keycloak, for signing in: apart from the cluster, so that it runs without the rest of the lab, and `up` without it.
#
# Two parts in the cache: the distribution, put together for its database once, and a database that has the realm in it. A start
# takes copies of the small one only. keycloak/realm.json says who is there; its passwords guard nothing but a loopback address.

KEYCLOAK_PARTS=(keycloak keycloak_realm)
KEYCLOAK_TOOLS=(java:default-jre-headless curl:curl openssl:openssl jq:jq)
KEYCLOAK_HOME=$NARU_LAB_STATE/keycloak

setup_keycloak() {
  require_tools "${KEYCLOAK_TOOLS[@]}"
  setup_parts "${KEYCLOAK_PARTS[@]}"
}

# make_keycloak puts the distribution together ("augments" it) here, so that no start has to.
make_keycloak() (
  dist=$1
  require_tools mvn:maven unzip:unzip
  artifact=keycloak-quarkus-dist-$NARU_LAB_KEYCLOAK_VERSION.zip
  mvn -B -q -ntp org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dmdep.useBaseVersion=true \
    -Dartifact="org.keycloak:keycloak-quarkus-dist:$NARU_LAB_KEYCLOAK_VERSION:zip" -DoutputDirectory="$dist" &&
    echo "$NARU_LAB_KEYCLOAK_SHA256  $dist/$artifact" | sha256sum --check --quiet &&
    unzip -q "$dist/$artifact" -d "$dist" &&
    rm "$dist/$artifact" &&
    mv "$dist/keycloak-$NARU_LAB_KEYCLOAK_VERSION"/* "$dist/" &&
    sh "$dist/bin/kc.sh" build --db=dev-file --health-enabled=false > "$dist/build.log" 2>&1 ||
    { tail -n 20 "$dist/build.log" >&2; exit 1; }
)

# make_keycloak_realm makes the database: its schema, the administrator, the realm with this lab's console.
make_keycloak_realm() (
  home=$1/home
  keycloak_home "$home"
  sed "s|@CONSOLE@|$NARU_LAB_CONSOLE|g" "$LAB_DIR/keycloak/realm.json" > "$1/realm.json" &&
    KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=$NARU_LAB_KEYCLOAK_ADMIN_PASSWORD \
      keycloak "$home" import --optimized --file "$1/realm.json" > "$1/import.log" 2>&1 ||
    { tail -n 20 "$1/import.log" >&2; exit 1; }
  mv "$home/data/h2" "$1/" && rm -r "$home"
)

# keycloak_home FOLDER: the distribution as Keycloak wants to see it, with data of its own.
keycloak_home() {
  local dist name
  dist=$(part_dir keycloak)
  mkdir -p "$1/data"
  for name in lib conf providers themes; do ln -sfn "$dist/$name" "$1/$name"; done
}

# keycloak HOME COMMAND...: what kc.sh does, without the shell that it leaves between us and the process.
keycloak() {
  local home=$1
  shift
  set -- "-Dkc.home.dir=$home" "-Djboss.server.config.dir=$home/conf" \
    -Djava.util.logging.manager=org.jboss.logmanager.LogManager -Dpicocli.disable.closures=true -Dfile.encoding=UTF-8 \
    -Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory \
    -Djava.security.egd=file:/dev/urandom -Duser.language=en -Duser.country=US \
    --add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/java.util.concurrent=ALL-UNNAMED \
    --add-opens=java.base/java.security=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED \
    -cp "$(part_dir keycloak)/lib/quarkus-run.jar" io.quarkus.bootstrap.runner.QuarkusEntryPoint "$@"
  # It runs for minutes on few cores: quick to start rather than quick to run.
  set -- java -Xms64m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError "$@"
  if [ -n "${LAUNCH:-}" ]; then launch "$LAUNCH" "$@"; else "$@"; fi
}

up_keycloak() {
  local begun
  begun=$(now_ms)
  setup_keycloak
  [ -d "$KEYCLOAK_HOME" ] || new_keycloak
  start_keycloak
  await_keycloak
  step "Keycloak" "$begun"
}

# new_keycloak copies the realm as it is written, and puts what a console needs beside it, in files as `naru serve` wants them.
new_keycloak() {
  local next=$KEYCLOAK_HOME.next
  rm -rf "$next"
  keycloak_home "$next"
  cp -r "$(part_dir keycloak_realm)/h2" "$next/data/"
  ( umask 077
    jq -j '.clients[] | select(.clientId == "naru").secret' "$LAB_DIR/keycloak/realm.json" > "$next/client.secret"
    openssl rand -base64 32 > "$next/session.key" )
  mv "$next" "$KEYCLOAK_HOME"
}

start_keycloak() {
  [ -d "$KEYCLOAK_HOME" ] || die "Keycloak has no data in $KEYCLOAK_HOME" "lab keycloak up"
  # Not clustered, or it would listen beyond the loopback for others of its kind.
  LAUNCH=keycloak keycloak "$KEYCLOAK_HOME" start --optimized --cache=local --hostname="$NARU_LAB_KEYCLOAK" \
    --http-enabled=true --http-host=127.0.0.1 --http-port="$NARU_LAB_KEYCLOAK_PORT"
}

await_keycloak() {
  await 120 "Keycloak ready" "read $NARU_LAB_STATE/logs/keycloak.log" keycloak_answers
}

# A Keycloak that has ended, for its port is taken, is not waited for.
keycloak_answers() {
  running keycloak || die "Keycloak has ended" "read $NARU_LAB_STATE/logs/keycloak.log"
  curl -sf --max-time 2 "$NARU_LAB_ISSUER/.well-known/openid-configuration"
}

# With its data: the next one begins with the realm as it is written.
down_keycloak() {
  end keycloak TERM 10
  rm -rf "$KEYCLOAK_HOME"
}
