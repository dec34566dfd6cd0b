/*
 * libmicrohttpd calls handle() several times a request: once with the headers, then with each piece
 * of the body, then once more when the body is whole.  The request is made when its first line is
 * read (on_uri) and freed when the connection is done with it (on_completed).
 */
#include "server/http/httpd.h"

#include "host/log.h"
#include "server/auth.h"
#include "server/http/cbor.h"
#include "server/http/listen.h"
#include "server/metrics.h"
#include "server/tls/ca.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <inttypes.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct listener {
	struct mue_server *server;
	struct MHD_Daemon *daemon;
	bool tls;
	char address[MUE_LISTEN_ADDRESS];
};

struct mue_httpd {
	struct listener https, http;
	gnutls_datum_t ticket_key;
	atomic_uint connections, requests; /* open now, in flight now */
	unsigned busy_from; /* connections from which on new requests are sent away */
	atomic_bool stopping;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- connections ---- */

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct listener *l = cls;
	const union MHD_ConnectionInfo *info;
	struct mue_connection *c;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		free(*context);
		*context = NULL;
		atomic_fetch_sub(&l->server->httpd->connections, 1);
		return;
	}
	atomic_fetch_add(&l->server->httpd->connections, 1);
	if (!l->tls)
		return;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	c = calloc(1, sizeof *c);
	*context = c;
	if (!info || !c)
		return;
	c->session = info->tls_session;
	/* Devices that wake up rarely resume: half of a poll's cost is saved. */
	gnutls_session_ticket_enable_server(c->session, &l->server->httpd->ticket_key);
	gnutls_certificate_server_set_request(c->session, GNUTLS_CERT_REQUEST);
}

/* ---- one request ---- */

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct listener *l = cls;
	struct mue_request *r = calloc(1, sizeof *r);
	char *path;

	if (!r)
		return NULL;
	mue_arena_init(&r->arena, MUE_ARENA_MAX);
	r->server = l->server;
	r->connection = connection;
	r->response.fd = -1;
	r->started_us = now_us();
	r->method = "";
	path = mue_arena_copy(&r->arena, uri, strcspn(uri, "?"));
	r->path = path ? path : "";
	atomic_fetch_add(&l->server->httpd->requests, 1);
	return r;
}

static void close_stream(struct mue_request *r)
{
	if (r->stream_open)
		r->route->stream->close(r);
	r->stream_open = false;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode how)
{
	struct listener *l = cls;
	struct mue_request *r = *context;

	(void)connection;
	if (!r)
		return;
	close_stream(r);
	mue_metrics_request(l->server->metrics, r->route ? r->route->pattern : "",
			    r->response.status, now_us() - r->started_us,
			    how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	if (r->response.fd >= 0)
		close(r->response.fd);
	free(r->response.owned);
	json_decref(r->json);
	mue_arena_reset(&r->arena);
	free(r);
	*context = NULL;
	atomic_fetch_sub(&l->server->httpd->requests, 1);
}

/* ---- sending the answer ---- */

struct file_body {
	int fd;
	uint64_t offset;
};

static ssize_t read_file(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct file_body *f = cls;
	ssize_t n = pread(f->fd, buf, max, (off_t)(f->offset + pos));

	if (n > 0)
		return n;
	return n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_file(void *cls)
{
	struct file_body *f = cls;

	close(f->fd);
	free(f);
}

static struct MHD_Response *file_response(struct mue_response *a)
{
	struct file_body *f = malloc(sizeof *f);
	struct MHD_Response *m;

	if (!f)
		return NULL;
	*f = (struct file_body){ a->fd, a->file_offset };
	m = MHD_create_response_from_callback(a->file_len, MUE_DOWNLOAD_BUFFER, read_file, f,
					      free_file);
	if (m)
		a->fd = -1; /* free_file closes it */
	else
		free(f);
	return m;
}

static struct MHD_Response *memory_response(const struct mue_response *a)
{
	union {
		const char *in;
		void *out;
	} u = { a->body };

	return MHD_create_response_from_buffer(a->len, u.out, MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result send_answer(struct mue_request *r)
{
	struct mue_response *a = &r->response;
	struct MHD_Response *m;
	enum MHD_Result result;

	if (!a->status)
		mue_respond_empty(r, 500);
	m = a->fd >= 0 ? file_response(a) : memory_response(a);
	if (!m)
		return MHD_NO;
	if (a->type)
		MHD_add_response_header(m, "Content-Type", a->type);
	for (unsigned i = 0; i < a->headers; i++)
		MHD_add_response_header(m, a->header_name[i], a->header_value[i]);
	if (atomic_load(&r->server->httpd->stopping))
		MHD_add_response_header(m, "Connection", "close");
	result = MHD_queue_response(r->connection, a->status, m);
	MHD_destroy_response(m);
	return result;
}

/* A crowd that is sent away together must not come back together. */
static void come_back_later(struct mue_request *r)
{
	unsigned char random[2];

	gnutls_rnd(GNUTLS_RND_NONCE, random, sizeof random);
	mue_respond_header(
		r, "Retry-After",
		mue_arena_printf(&r->arena, "%u", 30u + (random[0] * 256u + random[1]) % 270u));
}

static void answer_verdict(struct mue_request *r, struct mue_error *e, int verdict)
{
	if (!e->code)
		mue_fail(e, verdict, "%s", mue_err_text(verdict));
	if (mue_verdict_status(e->code) >= 500)
		mue_log(MUE_LOG_ERROR, "request.failed", "method", r->method, "path", r->path,
			"verdict", mue_err_name(e->code), "why", e->text, NULL);
	else
		mue_log(MUE_LOG_DEBUG, "request.refused", "method", r->method, "path", r->path,
			"verdict", mue_err_name(e->code), "why", e->text, NULL);
	mue_respond_verdict(r, e);
	if (r->response.status == 503 || r->response.status == 507)
		come_back_later(r);
}

static void answer_busy(struct mue_request *r)
{
	mue_respond_error(r, 503, "hawkbit.server.error.repo.genericError", "ServerBusy",
			  "too many connections, come back later");
	come_back_later(r);
	mue_respond_header(r, "Connection", "close");
}

/* ---- steps of a request ---- */

/* Who asks what, and may they?  Before any byte of a body is taken. */
static int begin(struct mue_request *r, const char *method, struct mue_error *e)
{
	const union MHD_ConnectionInfo *info;
	int v;

	r->method = mue_arena_str(&r->arena, method);
	if (!r->method)
		return MUE_ENOMEM;
	info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	r->tls = info ? info->socket_context : NULL;
	v = mue_router_match(r->server->router, r);
	if (v == MUE_EPROTOCOL)
		return mue_fail(e, v, "%s is not possible here", method);
	if (v < 0)
		return mue_fail(e, v, "no such resource: %.100s", r->path);
	if (r->route->access != MUE_ACCESS_PUBLIC) {
		v = mue_auth_identify(r->server->auth, r, e);
		if (v == 0)
			v = mue_auth_allow(r, r->route->access, e);
	}
	return v;
}

static size_t body_limit(const struct mue_route *route)
{
	if (route->body_max)
		return route->body_max;
	return route->stream ? SIZE_MAX : MUE_BODY_DEFAULT;
}

static int too_large(const struct mue_request *r, struct mue_error *e)
{
	return mue_fail(e, MUE_ESIZE, "the body is larger than %zu bytes", body_limit(r->route));
}

static int begin_body(struct mue_request *r, struct mue_error *e)
{
	const char *length = mue_request_header(r, "Content-Length");
	int v = 0;

	if (length && strtoull(length, NULL, 10) > body_limit(r->route))
		return too_large(r, e);
	if (r->route->stream) {
		v = r->route->stream->open(r, e);
		r->stream_open = v == 0;
	}
	return v;
}

static int collect(struct mue_request *r, const char *data, size_t len, struct mue_error *e)
{
	size_t room = r->body_room ? r->body_room : 1024;
	char *more;

	if (len > body_limit(r->route) - r->body_len)
		return too_large(r, e);
	while (room < r->body_len + len + 1)
		room *= 2;
	if (room != r->body_room) {
		more = mue_arena_alloc(&r->arena, room);
		if (!more)
			return MUE_ENOMEM;
		if (r->body_len)
			memcpy(more, r->body, r->body_len);
		r->body = more;
		r->body_room = room;
	}
	memcpy(r->body + r->body_len, data, len);
	r->body_len += len;
	r->body[r->body_len] = '\0';
	return 0;
}

static void take_body(struct mue_request *r, const char *data, size_t len)
{
	struct mue_error e = { 0 };
	int v;

	if (r->stream_failed)
		return; /* the answer is known; the rest is read and dropped */
	v = r->route->stream ? r->route->stream->data(r, data, len, &e) : collect(r, data, len, &e);
	if (v < 0) {
		r->stream_failed = true;
		answer_verdict(r, &e, v);
	}
}

static void run(struct mue_request *r)
{
	struct mue_error e = { 0 };
	int v;

	if (r->stream_failed)
		return;
	v = r->route->handler(r, &e);
	if (v < 0)
		answer_verdict(r, &e, v);
	if (r->route->access == MUE_ACCESS_DEVICE)
		mue_respond_as_asked(r);
}

/* An answer before the body has come closes the connection, and a client that is still sending may
 * not even read it.  So a body of bearable size is read and dropped first, unless the client waits
 * for our word (Expect: 100-continue). */
static bool drops_body(const struct mue_request *r)
{
	const char *length = mue_request_header(r, "Content-Length");

	if (mue_request_header(r, "Expect") || mue_request_header(r, "Transfer-Encoding"))
		return false;
	return !length || strtoull(length, NULL, 10) <= MUE_DROP_MAX;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *size, void **context)
{
	struct listener *l = cls;
	struct mue_request *r = *context;
	struct mue_error e = { 0 };
	int v;

	(void)connection;
	(void)url;
	(void)version;
	if (!r)
		return MHD_NO;
	if (!r->body_started) {
		r->body_started = true;
		if (atomic_load(&l->server->httpd->connections) > l->server->httpd->busy_from) {
			answer_busy(r);
			return send_answer(r);
		}
		v = begin(r, method, &e);
		if (v == 0)
			v = begin_body(r, &e);
		if (v == 0)
			return MHD_YES;
		answer_verdict(r, &e, v);
		r->stream_failed = true;
		return drops_body(r) ? MHD_YES : send_answer(r);
	}
	if (*size) {
		take_body(r, data, *size);
		*size = 0;
		return MHD_YES;
	}
	run(r);
	close_stream(r);
	return send_answer(r);
}

/* ---- listeners ---- */

static unsigned thread_count(const struct mue_server_config *config)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (config->threads)
		return config->threads;
	/* A thread that waits for a commit serves nobody else: more threads than processors. */
	return cpus > 4 ? (unsigned)cpus * 2 : 8;
}

static int start(struct listener *l, const char *address, unsigned limit, struct mue_error *e)
{
	const struct mue_server *s = l->server;
	/* Not epoll: libmicrohttpd 0.9.75 then spins for as long as a TLS handshake waits for its
	 * peer, 0.3 s of CPU a second for each slow device.  tests/e2e/test_server.py holds it. */
	/* poll, not epoll: with epoll libmicrohttpd 0.9.75 spins while a TLS handshake waits for
	 * the peer (25 ms of CPU a poll on a busy machine against 0.7 ms). */
	unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, NULL },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, NULL },
		{ MHD_OPTION_HTTPS_MEM_TRUST, 0, NULL },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};
	/* AES-128 first: SHA-256 has its own instructions, SHA-384 has not. */
	static const char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
					 ":-CIPHER-ALL:+AES-128-GCM:+CHACHA20-POLY1305"
					 ":+AES-256-GCM";
	const char *texts[] = { mue_ca_server_certificate(s->ca), mue_ca_server_key(s->ca),
				mue_ca_certificate(s->ca), priorities };
	int fd = -1, r;

	r = mue_listen_open(address, &fd, l->address, e);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < 4 && l->tls; i++)
		memcpy(&tls[i].ptr_value, &texts[i], sizeof texts[i]);
	if (l->tls)
		flags |= MHD_USE_TLS;
	else
		tls[0].option = MHD_OPTION_END;
	l->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, handle, l, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_THREAD_POOL_SIZE, thread_count(&s->config), MHD_OPTION_CONNECTION_LIMIT,
		limit, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MUE_CONNECTION_POOL,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)MUE_CONNECTION_TIMEOUT_S,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, l, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
		l, MHD_OPTION_NOTIFY_CONNECTION, on_connection, l, MHD_OPTION_ARRAY, tls,
		MHD_OPTION_END);
	if (!l->daemon) {
		close(fd);
		return mue_fail(e, MUE_EIO, "cannot start the listener on %s", l->address);
	}
	return 0;
}

int mue_httpd_start(struct mue_server *server, struct mue_error *e)
{
	struct mue_httpd *h = calloc(1, sizeof *h);
	unsigned limit = mue_listen_limit();
	int r;

	if (!h)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	h->busy_from = limit - limit / 10;
	h->https = (struct listener){ .server = server, .tls = true };
	h->http = (struct listener){ .server = server };
	server->httpd = h;
	r = gnutls_session_ticket_key_generate(&h->ticket_key);
	if (r < 0)
		r = mue_fail(e, MUE_EKEY, "session tickets: %s", gnutls_strerror(r));
	else
		r = start(&h->https, server->config.listen, limit, e);
	if (r == 0 && server->config.http)
		r = start(&h->http, server->config.http, limit, e);
	if (r < 0)
		mue_httpd_stop(server, 0);
	return r;
}

static void quiesce(struct listener *l)
{
	int fd;

	if (!l->daemon)
		return;
	fd = MHD_quiesce_daemon(l->daemon);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
}

void mue_httpd_stop(struct mue_server *server, unsigned grace_ms)
{
	struct mue_httpd *h = server->httpd;
	struct timespec tick = { 0, 10 * 1000 * 1000 };

	if (!h)
		return;
	atomic_store(&h->stopping, true);
	quiesce(&h->https);
	quiesce(&h->http);
	for (unsigned ms = 0; ms < grace_ms && atomic_load(&h->requests); ms += 10)
		nanosleep(&tick, NULL);
	if (h->https.daemon)
		MHD_stop_daemon(h->https.daemon);
	if (h->http.daemon)
		MHD_stop_daemon(h->http.daemon);
	gnutls_free(h->ticket_key.data);
	free(h);
	server->httpd = NULL;
}

const char *mue_httpd_https_address(const struct mue_httpd *h)
{
	return h->https.address;
}

const char *mue_httpd_http_address(const struct mue_httpd *h)
{
	return h->http.address;
}

unsigned mue_httpd_connections(const struct mue_httpd *h)
{
	return atomic_load(&h->connections);
}
