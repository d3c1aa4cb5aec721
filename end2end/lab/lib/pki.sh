# shellcheck shell=bash
# Certificates: one CA for the cluster, one for the front door. They live and die with the state directory.

PKI=$NARU_LAB_STATE/pki

new_ca() { # FILE NAME
  openssl ecparam -genkey -name prime256v1 -noout -out "$PKI/$1.key"
  openssl req -x509 -new -key "$PKI/$1.key" -subj "/CN=$2" -days 365 -out "$PKI/$1.crt" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,digitalSignature,cRLSign 2>/dev/null
}

new_cert() { # CA FILE SUBJECT EXTENSION...
  local ca=$1 file=$2 subject=$3
  shift 3
  openssl ecparam -genkey -name prime256v1 -noout -out "$PKI/$file.key"
  openssl req -new -key "$PKI/$file.key" -subj "$subject" |
    openssl x509 -req -CA "$PKI/$ca.crt" -CAkey "$PKI/$ca.key" -CAcreateserial -days 365 \
      -out "$PKI/$file.crt" -extfile <(printf '%s\n' "$@") 2>/dev/null
}

new_front() { new_cert front-ca front "/CN=$NARU_LAB_HOSTNAME" extendedKeyUsage=serverAuth "subjectAltName=DNS:$NARU_LAB_HOSTNAME"; }

make_pki() {
  [ -f "$PKI/done" ] && return
  mkdir -p "$PKI"
  chmod 700 "$PKI"
  new_ca ca naru-lab
  openssl genrsa -out "$PKI/sa.key" 2048 2>/dev/null
  openssl rsa -in "$PKI/sa.key" -pubout -out "$PKI/sa.pub" 2>/dev/null
  # 127.0.0.1 for the host, the bridge for pods on it, the first service address for in-cluster clients.
  new_cert ca apiserver /CN=kube-apiserver extendedKeyUsage=serverAuth \
    "subjectAltName=IP:127.0.0.1,IP:$NARU_LAB_SERVICE_NET.0.1,IP:$NARU_LAB_HOST_IP,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  new_cert ca admin /O=system:masters/CN=admin extendedKeyUsage=clientAuth
  new_cert ca controllers /CN=system:kube-controller-manager extendedKeyUsage=clientAuth
  new_cert ca scheduler /CN=system:kube-scheduler extendedKeyUsage=clientAuth
  new_cert ca front-proxy /CN=front-proxy-client extendedKeyUsage=clientAuth
  new_cert ca kubelet-client /CN=kube-apiserver-kubelet-client extendedKeyUsage=clientAuth
  new_ca front-ca naru-lab-front
  new_front
  local user
  for user in admin controllers scheduler; do make_kubeconfig "$user"; done
  touch "$PKI/done"
}

make_kubeconfig() { # USER
  cat > "$NARU_LAB_STATE/$1.kubeconfig" <<K
apiVersion: v1
kind: Config
clusters: [{name: naru-lab, cluster: {server: "https://127.0.0.1:$NARU_LAB_API_PORT", certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$PKI/$1.crt"), client-key-data: $(base64 -w0 "$PKI/$1.key")}}]
contexts: [{name: naru-lab, context: {cluster: naru-lab, user: $1}}]
current-context: naru-lab
K
  chmod 600 "$NARU_LAB_STATE/$1.kubeconfig"
}
