/* What was asked. */
#include "server/http/cbor.h"
#include "server/http/router.h"
#include "server/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

const char *mue_request_param(const struct mue_request *r, const char *name)
{
	for (unsigned i = 0; i < r->params; i++)
		if (!strcmp(r->param_name[i], name))
			return r->param_value[i];
	return "";
}

static int number(const char *text, int64_t *ret)
{
	char *end;
	long long n;

	if (!*text || strspn(text, "-0123456789") != strlen(text))
		return MUE_EINVAL;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || *end)
		return MUE_EINVAL;
	*ret = n;
	return 0;
}

int mue_request_id(const struct mue_request *r, const char *name, int64_t *ret, struct mue_error *e)
{
	const char *text = mue_request_param(r, name);
	int64_t id;

	if (number(text, &id) < 0 || id <= 0)
		return mue_fail(e, MUE_ENOTFOUND, "%s %.40s does not exist", name, text);
	*ret = id;
	return 0;
}

const char *mue_request_query(const struct mue_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

int mue_request_query_int(const struct mue_request *r, const char *name, int64_t min, int64_t max,
			  int64_t otherwise, int64_t *ret, struct mue_error *e)
{
	const char *text = mue_request_query(r, name);
	int64_t n = otherwise;

	if (text && (number(text, &n) < 0 || n < min || n > max))
		return mue_fail(e, MUE_EINVAL, "parameter %s=%.40s is not a number in %lld..%lld",
				name, text, (long long)min, (long long)max);
	*ret = n;
	return 0;
}

const char *mue_request_header(const struct mue_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

/* Devices may send CBOR. */
static bool is_cbor(const struct mue_request *r)
{
	const char *type = mue_request_header(r, "Content-Type");

	return type && r->route && r->route->access == MUE_ACCESS_DEVICE &&
	       strncasecmp(type, "application/cbor", 16) == 0;
}

static int from_cbor(struct mue_request *r, json_t **ret, struct mue_error *e)
{
	int v = mue_json_from_cbor(r->body, r->body_len, &r->json, e);

	if (v == 0)
		*ret = r->json;
	return v;
}

int mue_request_json(struct mue_request *r, json_t **ret, struct mue_error *e)
{
	json_error_t error;

	if (!r->json) {
		if (!r->body_len)
			return mue_fail(e, MUE_EFORMAT, "the body is empty, JSON is expected");
		if (is_cbor(r))
			return from_cbor(r, ret, e);
		r->json = json_loadb(r->body, r->body_len, JSON_REJECT_DUPLICATES, &error);
	}
	if (!r->json)
		return mue_fail(e, MUE_EFORMAT, "the body is not JSON: %s (line %d, column %d)",
				error.text, error.line, error.column);
	*ret = r->json;
	return 0;
}

/* A host with an optional port, and nothing that could break out of a URL. */
static bool host_is_sane(const char *host)
{
	return host && *host && strlen(host) < 256 &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    ".-_:[]%") == strlen(host);
}

/* The listener's address and port as this client reached them, also when it listens on all. */
static const char *listener(struct mue_request *r)
{
	const union MHD_ConnectionInfo *info = NULL;
	char host[INET6_ADDRSTRLEN], port[8];
	struct sockaddr_storage a;
	socklen_t len = sizeof a;
	const char *ret = NULL;

	if (r->connection)
		info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info && getsockname(info->connect_fd, (struct sockaddr *)&a, &len) == 0 &&
	    getnameinfo((struct sockaddr *)&a, len, host, sizeof host, port, sizeof port,
			NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		ret = mue_arena_printf(&r->arena, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
				       port);
	return ret ? ret : "localhost";
}

/* The first element of a comma separated list, copied. */
static const char *first_of(struct mue_request *r, const char *header)
{
	const char *value = mue_request_header(r, header);

	if (!value)
		return NULL;
	value += strspn(value, " ");
	return mue_arena_copy(&r->arena, value, strcspn(value, ", "));
}

const char *mue_request_base(struct mue_request *r)
{
	const char *proto = first_of(r, "X-Forwarded-Proto");
	const char *host = first_of(r, "X-Forwarded-Host");
	const char *port = first_of(r, "X-Forwarded-Port");
	const char *base;

	if (!proto || (strcasecmp(proto, "https") && strcasecmp(proto, "http")))
		proto = r->tls ? "https" : "http";
	if (!host_is_sane(host))
		host = mue_request_header(r, "Host");
	if (!host_is_sane(host))
		host = listener(r);
	if (port && *port && strspn(port, "0123456789") == strlen(port) && strlen(port) < 6 &&
	    !strchr(host, ':'))
		base = mue_arena_printf(&r->arena, "%s://%s:%s", proto, host, port);
	else
		base = mue_arena_printf(&r->arena, "%s://%s", proto, host);
	return base ? base : "";
}
