{{/* The pod, the same for both kinds of workload. */}}
{{- define "llm-proxy.pod" -}}
metadata:
  labels:
    {{- include "llm-proxy.selector" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  # The server then is not process 1, which SIGTERM does not end before it serves.
  shareProcessNamespace: true
  # preStop, SHUTDOWN_GRACE, and time to write down what is counted.
  terminationGracePeriodSeconds: {{ add .Values.preStopSeconds .Values.shutdownGraceSeconds 10 }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: llm-proxy
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      ports:
        - name: http
          containerPort: 8080
      env:
        {{- include "llm-proxy.environment" . | nindent 8 }}
      startupProbe:
        {{- include "llm-proxy.probe" (list . "/live") | nindent 8 }}
        periodSeconds: 2
        # Five minutes: a new version may have to migrate the database first.
        failureThreshold: 150
      livenessProbe:
        {{- include "llm-proxy.probe" (list . "/live") | nindent 8 }}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        {{- include "llm-proxy.probe" (list . "/ready") | nindent 8 }}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      lifecycle:
        preStop:
          exec:
            command: [sleep, {{ .Values.preStopSeconds | quote }}]
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - name: secrets
          mountPath: /run/secrets/llm-proxy
          readOnly: true
        - name: temporary
          mountPath: /tmp
        {{- if include "llm-proxy.keepsFiles" . }}
        - name: data
          mountPath: /var/lib/llm-proxy/data
        {{- end }}
        {{- if .Values.providers }}
        - name: providers
          mountPath: /etc/llm-proxy
          readOnly: true
        {{- end }}
        {{- if .Values.tls.secret }}
        - name: certificate
          mountPath: /run/secrets/certificate
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: secrets
      secret:
        secretName: {{ .Values.secret }}
        defaultMode: 0440
    - name: temporary
      emptyDir: {}
    {{- if .Values.providers }}
    - name: providers
      configMap:
        name: {{ include "llm-proxy.fullname" . }}
    {{- end }}
    {{- with .Values.tls.secret }}
    - name: certificate
      secret:
        secretName: {{ . }}
        defaultMode: 0440
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if gt (int .Values.replicas) 1 }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "llm-proxy.selector" . | nindent 10 }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "llm-proxy.environment" -}}
- name: LISTEN_ADDR
  value: ":8080"
- name: SHUTDOWN_GRACE
  value: {{ printf "%ds" (int .Values.shutdownGraceSeconds) | quote }}
- name: MANAGEMENT_TOKEN_FILE
  value: /run/secrets/llm-proxy/management-token
- name: ENCRYPTION_KEY_FILE
  value: /run/secrets/llm-proxy/encryption-key
- name: DB_DRIVER
  value: {{ .Values.database.driver }}
{{- if eq .Values.database.driver "postgres" }}
- name: DATABASE_URL_FILE
  value: /run/secrets/llm-proxy/database-url
{{- if include "llm-proxy.keepsFiles" . }}
- name: SPOOL_PATH
  value: /var/lib/llm-proxy/data/spool
{{- end }}
{{- else }}
- name: DATABASE_PATH
  value: /var/lib/llm-proxy/data/llm-proxy.db
{{- end }}
{{- if .Values.providers }}
- name: API_CONFIG_PATH
  value: /etc/llm-proxy/api_providers.yaml
{{- end }}
{{- if .Values.tls.secret }}
- name: TLS_CERT_FILE
  value: /run/secrets/certificate/tls.crt
- name: TLS_KEY_FILE
  value: /run/secrets/certificate/tls.key
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  {{- /* Numbers of a values file are floating: as text they would have an exponent. */}}
  value: {{ if kindIs "string" $value }}{{ $value | quote }}{{ else }}{{ toJson $value | quote }}{{ end }}
{{- end }}
{{- end }}

{{/* A probe of a path: (list . PATH). */}}
{{- define "llm-proxy.probe" -}}
httpGet:
  path: {{ index . 1 }}
  port: http
  {{- if (index . 0).Values.tls.secret }}
  scheme: HTTPS
  {{- end }}
{{- end }}
