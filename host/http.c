#include "host/http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_LIMIT (1024 * 1024)
#define ERROR_LIMIT   (16 * 1024) /* of an error answer's body when the good one goes to a sink */

struct mue_http {
	CURL *curl;
	char *ca, *cert, *key, *authorization, *user_agent;
	uint32_t connect_s, stall_s;
};

/* One request under way; the callbacks' context. */
struct transfer {
	struct mue_http *h;
	const struct mue_http_request *q;
	struct mue_http_answer *a;
	size_t limit;
	int verdict; /* of a callback that stopped the transfer */
	bool overflow, range_ignored;
	bool http; /* a status line was seen */
};

static bool is_pkcs11(const char *s)
{
	return s && strncmp(s, "pkcs11:", 7) == 0;
}

static int dup_string(const char *s, char **ret)
{
	*ret = NULL;
	if (!s)
		return 0;
	*ret = strdup(s);
	return *ret ? 0 : MUE_ENOMEM;
}

static int check_readable(const char *what, const char *path, struct mue_error *e)
{
	if (!path || is_pkcs11(path) || access(path, R_OK) == 0)
		return 0;
	mue_fail_errno(e, "%s %s", what, path);
	if (e)
		e->code = MUE_EKEY;
	return MUE_EKEY;
}

int mue_http_open(const struct mue_http_config *c, struct mue_http **ret, struct mue_error *e)
{
	struct mue_http *h;
	int r;

	if ((r = check_readable("CA file", c->ca, e)) < 0 ||
	    (r = check_readable("certificate", c->cert, e)) < 0 ||
	    (r = check_readable("key", c->key, e)) < 0)
		return r;
	h = calloc(1, sizeof(*h));
	if (!h)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	h->connect_s = c->connect_s ? c->connect_s : 20;
	h->stall_s = c->stall_s ? c->stall_s : 30;
	r = dup_string(c->ca, &h->ca) | dup_string(c->cert, &h->cert) |
	    dup_string(c->key, &h->key) | dup_string(c->authorization, &h->authorization) |
	    dup_string(c->user_agent ? c->user_agent : "mue", &h->user_agent);
	if (r == 0)
		h->curl = curl_easy_init();
	if (r < 0 || !h->curl) {
		mue_http_close(h);
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	}
	*ret = h;
	return 0;
}

void mue_http_close(struct mue_http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	free(h->ca);
	free(h->cert);
	if (h->key)
		explicit_bzero(h->key, strlen(h->key));
	free(h->key);
	if (h->authorization)
		explicit_bzero(h->authorization, strlen(h->authorization));
	free(h->authorization);
	free(h->user_agent);
	free(h);
}

/* Keeps answer bytes in memory; one ending NUL is always there. */
static size_t keep(struct transfer *t, const char *data, size_t len, size_t limit)
{
	struct mue_http_answer *a = t->a;
	char *p;

	if (len > limit - a->body_size) {
		t->overflow = true;
		return 0;
	}
	p = realloc(a->body, a->body_size + len + 1);
	if (!p) {
		t->verdict = MUE_ENOMEM;
		return 0;
	}
	memcpy(p + a->body_size, data, len);
	a->body = p;
	a->body_size += len;
	p[a->body_size] = 0;
	return len;
}

static size_t on_body(char *data, size_t one, size_t len, void *ctx)
{
	struct transfer *t = ctx;
	long status = 0;
	int r;

	(void)one;
	curl_easy_getinfo(t->h->curl, CURLINFO_RESPONSE_CODE, &status);
	if (!t->q->sink)
		return keep(t, data, len, t->limit);
	if (status < 200 || status > 299) {
		/* Only there to explain: the rest of a long one is dropped. */
		size_t room = ERROR_LIMIT - t->a->body_size;

		return keep(t, data, len < room ? len : room, ERROR_LIMIT) || len > room ? len : 0;
	}
	if (t->q->range_from && status != 206) {
		t->range_ignored = true;
		return 0;
	}
	r = t->q->sink(t->q->ctx, data, len);
	if (r) {
		t->verdict = r;
		return 0;
	}
	return len;
}

static bool header_value(const char *line, size_t len, const char *name, char *ret, size_t ret_size)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return false;
	for (n++; n < len && (line[n] == ' ' || line[n] == '\t'); n++)
		;
	while (len > n && isspace((unsigned char)line[len - 1]))
		len--;
	if (len - n >= ret_size)
		return false;
	memcpy(ret, line + n, len - n);
	ret[len - n] = 0;
	return true;
}

static bool to_u64(const char *s, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*ret = strtoull(s, &end, 10);
	return errno == 0 && *end == 0;
}

/* Retry-After is seconds or a date (RFC 9110, 10.2.3); a day is the most anyone waits here. */
static uint32_t retry_after(const char *value)
{
	uint64_t s;
	time_t at;

	if (!to_u64(value, &s)) {
		at = curl_getdate(value, NULL);
		if (at == -1)
			return 0;
		s = at > time(NULL) ? (uint64_t)(at - time(NULL)) : 1;
	}
	return s > 86400 ? 86400 : (uint32_t)s;
}

static size_t on_header(char *line, size_t one, size_t len, void *ctx)
{
	struct transfer *t = ctx;
	char value[128];
	const char *slash;

	(void)one;
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0) { /* also after a redirect: start over */
		t->http = true;
		t->a->retry_after_s = 0;
		t->a->length = t->a->complete = UINT64_MAX;
		t->a->body_size = 0;
	} else if (header_value(line, len, "Retry-After", value, sizeof(value))) {
		t->a->retry_after_s = retry_after(value);
	} else if (header_value(line, len, "Content-Length", value, sizeof(value))) {
		if (!to_u64(value, &t->a->length))
			t->a->length = UINT64_MAX;
	} else if (header_value(line, len, "Content-Range", value, sizeof(value))) {
		slash = strchr(value, '/');
		if (!slash || !to_u64(slash + 1, &t->a->complete))
			t->a->complete = UINT64_MAX;
	}
	return len;
}

static size_t on_read(char *buf, size_t one, size_t len, void *ctx)
{
	struct transfer *t = ctx;
	long n = t->q->source(t->q->ctx, buf, one * len);

	if (n < 0) {
		t->verdict = (int)n;
		return CURL_READFUNC_ABORT;
	}
	return (size_t)n;
}

static int on_progress(void *ctx, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
		       curl_off_t ulnow)
{
	struct transfer *t = ctx;
	int r = t->q->progress(t->q->ctx, (uint64_t)(dlnow + ulnow), (uint64_t)(dltotal + ultotal));

	if (r)
		t->verdict = r;
	return r != 0;
}

static void set_identity(const struct mue_http *h)
{
	CURL *c = h->curl;

	curl_easy_setopt(c, CURLOPT_CAINFO, h->ca); /* NULL is the system's, as built in */
	if (h->ca)
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	if (h->cert) {
		curl_easy_setopt(c, CURLOPT_SSLCERT, h->cert);
		curl_easy_setopt(c, CURLOPT_SSLKEY, h->key);
	}
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_USERAGENT, h->user_agent);
}

static void set_limits(struct transfer *t)
{
	const struct mue_http_request *q = t->q;
	CURL *c = t->h->curl;
	bool stream = q->sink || q->source || q->form_file;
	uint32_t total = q->total_s ? q->total_s : stream ? 0 : 60;

	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)t->h->connect_s);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)total);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)t->h->stall_s);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR,
			 strncasecmp(q->url, "https:", 6) == 0 ? "https" : "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, 4L);
	if (q->sink)
		curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 65536L);
}

static void set_callbacks(struct transfer *t)
{
	CURL *c = t->h->curl;

	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	if (t->q->progress) {
		curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
	}
}

/* The request's body; *ret_mime is freed after the transfer. */
static int set_body(struct transfer *t, curl_mime **ret_mime)
{
	const struct mue_http_request *q = t->q;
	CURL *c = t->h->curl;
	curl_mimepart *part;

	if (q->form_file) {
		*ret_mime = curl_mime_init(c);
		part = *ret_mime ? curl_mime_addpart(*ret_mime) : NULL;
		if (!part || curl_mime_name(part, q->form_name ? q->form_name : "file") ||
		    curl_mime_filedata(part, q->form_file))
			return MUE_EIO;
		if (q->form_filename)
			curl_mime_filename(part, q->form_filename);
		curl_mime_type(part, "application/octet-stream");
		curl_easy_setopt(c, CURLOPT_MIMEPOST, *ret_mime);
	} else if (q->source) {
		curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(c, CURLOPT_READDATA, t);
		if (q->source_size != UINT64_MAX)
			curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->source_size);
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method ? q->method : "POST");
	} else if (q->body || (q->method && strcmp(q->method, "POST") == 0)) {
		curl_easy_setopt(c, CURLOPT_POST, 1L);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->body ? q->body : "");
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_size);
	}
	if (q->method && strcmp(q->method, "HEAD") == 0)
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	else if (q->method && strcmp(q->method, "GET") != 0)
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method);
	return 0;
}

static int add_header(struct curl_slist **list, const char *name, const char *value)
{
	struct curl_slist *p;
	char *line;

	if (asprintf(&line, "%s: %s", name, value) < 0)
		return MUE_ENOMEM;
	p = curl_slist_append(*list, line);
	explicit_bzero(line, strlen(line));
	free(line);
	if (!p)
		return MUE_ENOMEM;
	*list = p;
	return 0;
}

static int set_headers(struct transfer *t, struct curl_slist **list)
{
	const struct mue_http_request *q = t->q;
	char range[40];
	int r = 0;

	if (t->h->authorization)
		r = add_header(list, "Authorization", t->h->authorization);
	if (r == 0 && (q->accept || !q->sink))
		r = add_header(list, "Accept", q->accept ? q->accept : "application/json");
	if (r == 0 && (q->body || q->source))
		r = add_header(list, "Content-Type",
			       q->content_type ? q->content_type : "application/json");
	for (size_t i = 0; r == 0 && q->headers && q->headers[i]; i++) {
		struct curl_slist *p = curl_slist_append(*list, q->headers[i]);

		r = p ? 0 : MUE_ENOMEM;
		*list = p ? p : *list;
	}
	curl_easy_setopt(t->h->curl, CURLOPT_HTTPHEADER, *list);
	if (q->range_from) {
		snprintf(range, sizeof(range), "%llu-", (unsigned long long)q->range_from);
		curl_easy_setopt(t->h->curl, CURLOPT_RANGE, range);
	}
	return r;
}

static const struct {
	CURLcode curl;
	int verdict;
} verdicts[] = {
	{ CURLE_OPERATION_TIMEDOUT, MUE_ETIMEOUT },
	{ CURLE_PEER_FAILED_VERIFICATION, MUE_EAUTH },
	{ CURLE_SSL_CONNECT_ERROR, MUE_EAUTH },
	{ CURLE_SSL_CACERT_BADFILE, MUE_EKEY },
	{ CURLE_SSL_CERTPROBLEM, MUE_EKEY },
	{ CURLE_OUT_OF_MEMORY, MUE_ENOMEM },
	{ CURLE_UNSUPPORTED_PROTOCOL, MUE_EINVAL },
	{ CURLE_URL_MALFORMAT, MUE_EINVAL },
	{ CURLE_TOO_MANY_REDIRECTS, MUE_EPROTOCOL },
	{ CURLE_WEIRD_SERVER_REPLY, MUE_EPROTOCOL },
	{ CURLE_BAD_CONTENT_ENCODING, MUE_EPROTOCOL },
	{ CURLE_READ_ERROR, MUE_EIO },
};

/* What a transfer that curl gave up means. */
static int explain(const struct transfer *t, CURLcode code, const char *text, struct mue_error *e)
{
	int verdict = MUE_ELINK;

	if (t->verdict)
		return mue_fail(e, t->verdict, "%s: stopped: %s", t->q->url,
				mue_err_text(t->verdict));
	if (t->overflow)
		return mue_fail(e, MUE_EPROTOCOL, "%s: the answer is larger than %zu bytes",
				t->q->url, t->limit);
	if (t->range_ignored)
		return mue_fail(e, MUE_EPROTOCOL, "%s: the server ignored Range", t->q->url);
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		if (verdicts[i].curl == code)
			verdict = verdicts[i].verdict;
	return mue_fail(e, verdict, "%s: %s", t->q->url, *text ? text : curl_easy_strerror(code));
}

int mue_http_do(struct mue_http *h, const struct mue_http_request *q, struct mue_http_answer *ret,
		struct mue_error *e)
{
	struct transfer t = { .h = h, .q = q, .a = ret };
	char text[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = NULL;
	curl_mime *mime = NULL;
	CURLcode code;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->length = ret->complete = UINT64_MAX;
	t.limit = q->limit ? q->limit : DEFAULT_LIMIT;
	curl_easy_reset(h->curl); /* keeps connections and TLS sessions */
	set_identity(h);
	set_limits(&t);
	set_callbacks(&t);
	curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, text);
	curl_easy_setopt(h->curl, CURLOPT_URL, q->url);
	r = set_body(&t, &mime);
	if (r == 0)
		r = set_headers(&t, &headers);
	if (r < 0) {
		mue_fail(e, r, "%s: cannot prepare the request", q->url);
		goto out;
	}
	code = curl_easy_perform(h->curl);
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &ret->status);
	if (code != CURLE_OK)
		r = explain(&t, code, text, e);
	else if (!t.http)
		r = mue_fail(e, MUE_EPROTOCOL, "%s: the answer is not HTTP/1.x", q->url);
out:
	curl_slist_free_all(headers);
	curl_mime_free(mime);
	return r;
}

void mue_http_answer_free(struct mue_http_answer *a)
{
	free(a->body);
	a->body = NULL;
	a->body_size = 0;
}

static int verdict_of(long status)
{
	switch (status) {
	case 401:
	case 403:
		return MUE_EAUTH;
	case 404:
	case 410:
		return MUE_ENOTFOUND;
	case 408:
	case 504:
		return MUE_ETIMEOUT;
	case 409:
		return MUE_ECONFLICT;
	case 413:
		return MUE_ESIZE;
	case 429:
	case 503:
		return MUE_EBUSY;
	default:
		return status >= 500 ? MUE_EIO : MUE_EPROTOCOL;
	}
}

int mue_http_status(const struct mue_http_answer *a, const char *what, struct mue_error *e)
{
	json_t *j = NULL, *message;
	int r;

	if (a->status >= 200 && a->status <= 299)
		return 0;
	if (a->body)
		j = json_loadb(a->body, a->body_size, JSON_REJECT_DUPLICATES, NULL);
	message = j ? json_object_get(j, "message") : NULL;
	if (json_is_string(message))
		r = mue_fail(e, verdict_of(a->status), "%s: HTTP %ld: %.160s", what, a->status,
			     json_string_value(message));
	else
		r = mue_fail(e, verdict_of(a->status), "%s: HTTP %ld", what, a->status);
	json_decref(j);
	return r;
}

int mue_http_escape(const char *text, char *ret, size_t ret_size)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = strlen(ret);

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';

		if (n + (plain ? 2 : 4) > ret_size)
			return MUE_ENOSPC;
		if (plain) {
			ret[n++] = (char)c;
		} else {
			ret[n++] = '%';
			ret[n++] = hex[c >> 4];
			ret[n++] = hex[c & 15];
		}
		ret[n] = 0;
	}
	return 0;
}
