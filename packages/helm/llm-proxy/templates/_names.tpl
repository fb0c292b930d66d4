{{- define "llm-proxy.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "llm-proxy.fullname" -}}
{{- $name := include "llm-proxy.name" . -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}
{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{/* What selects the pods. */}}
{{- define "llm-proxy.selector" -}}
app.kubernetes.io/name: {{ include "llm-proxy.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "llm-proxy.labels" -}}
{{ include "llm-proxy.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Whether pods have files that must outlive them: not empty means yes. */}}
{{- define "llm-proxy.keepsFiles" -}}
{{- if or (eq .Values.database.driver "sqlite") (eq (toString .Values.settings.DATABASE_OUTAGE) "spool") }}yes{{ end -}}
{{- end }}

{{/* Stops what can't work, and says why. */}}
{{- define "llm-proxy.check" -}}
{{- if and (gt (int .Values.replicas) 1) (ne .Values.database.driver "postgres") -}}
{{ fail (printf "replicas is %d, but a SQLite file has one server: set database.driver to postgres, or replicas to 1" (int .Values.replicas)) }}
{{- end -}}
{{- $ours := list "API_CONFIG_PATH" "DATABASE_PATH" "DB_DRIVER" "LISTEN_ADDR" "SHUTDOWN_GRACE" "SPOOL_PATH" "TLS_CERT_FILE" "TLS_KEY_FILE" "DATABASE_URL_FILE" "ENCRYPTION_KEY_FILE" "MANAGEMENT_TOKEN_FILE" -}}
{{- $secrets := list "DATABASE_URL" "ENCRYPTION_KEY" "ENCRYPTION_KEYS_ACCEPTED" "MANAGEMENT_TOKEN" -}}
{{- range $name, $_ := .Values.settings -}}
{{- if has $name $ours -}}
{{ fail (printf "settings.%s is set by the chart itself: look at values.yaml for the value it follows from" $name) }}
{{- end -}}
{{- if has $name $secrets -}}
{{ fail (printf "settings.%s is a secret: put it into the Secret %s instead" $name $.Values.secret) }}
{{- end -}}
{{- end -}}
{{- end }}
