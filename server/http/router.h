/*
 * router.h - one HTTP request from its first header to its answer, and the table that says who
 * answers it.
 *
 * A route is one line of a constant table: method, pattern ("/rest/v1/targets/{id}"), who may call
 * it, how large its body may be, the handler.  A handler returns 0 after it has set an answer with
 * one of the mue_respond_* functions, or a verdict of core/err.h with a sentence in *e: then the
 * answer is made from the verdict (see mue_verdict_status).  Handlers run on one of several
 * threads.
 *
 * A body is by default collected in memory up to the route's ceiling before the handler runs.  A
 * route with `stream` gets it piece by piece instead.
 */
#ifndef MUE_SERVER_HTTP_ROUTER_H
#define MUE_SERVER_HTTP_ROUTER_H

#include "host/err.h"
#include "server/http/arena.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;
struct mue_server;
struct mue_request;

enum {
	MUE_ROUTE_PARAMS = 8,
	MUE_RESPONSE_HEADERS = 8,
	MUE_BODY_DEFAULT = 64 * 1024,     /* ceiling of a body when the route says 0 */
	MUE_ARENA_MAX = 32 * 1024 * 1024, /* ceiling of a request's memory */
};

/* Who a route is for, checked before the body is read. */
enum mue_access {
	MUE_ACCESS_OPERATOR, /* Bearer or Basic token of an operator */
	MUE_ACCESS_DEVICE,   /* the device named by {controllerId}, or a gateway, or an operator */
	MUE_ACCESS_PUBLIC,   /* anybody */
};

enum mue_who {
	MUE_WHO_NOBODY,
	MUE_WHO_DEVICE,   /* client certificate or TargetToken; name = controller id */
	MUE_WHO_GATEWAY,  /* GatewayToken: may speak for every device */
	MUE_WHO_OPERATOR, /* name = the token's name, "admin" for the first */
};

struct mue_identity {
	enum mue_who kind;
	const char *name; /* lives as long as the request; "" for nobody */
};

struct mue_response {
	unsigned status; /* 0: not yet set */
	const char *type;
	const char *body; /* lives as long as the request, or static */
	size_t len;
	char *owned; /* free()d with the request, NULL when body needs no freeing */
	int fd;      /* -1, or the file that is the body; closed by the response */
	uint64_t file_offset, file_len;
	const char *header_name[MUE_RESPONSE_HEADERS];
	const char *header_value[MUE_RESPONSE_HEADERS];
	unsigned headers;
};

/* A body taken piece by piece.  open runs after the access check and before the first piece; data
 * for each piece; then the route's handler; close always, last, also when the client vanished. A
 * verdict of open or data ends the request with that answer (the rest of the body is discarded).*/
struct mue_body_ops {
	int (*open)(struct mue_request *r, struct mue_error *e);
	int (*data)(struct mue_request *r, const char *data, size_t len, struct mue_error *e);
	void (*close)(struct mue_request *r);
};

typedef int mue_handler(struct mue_request *r, struct mue_error *e);

struct mue_route {
	const char *method;  /* a HEAD request finds its GET route; the body is then left out */
	const char *pattern; /* {name} matches one segment, percent-decoded */
	mue_handler *handler;
	enum mue_access access;
	size_t body_max; /* 0: MUE_BODY_DEFAULT; for streams: UINT64_MAX-like, unlimited when 0 */
	const struct mue_body_ops *stream; /* NULL: buffered */
};

struct mue_request {
	struct mue_server *server;
	struct mue_arena arena;
	const char *method;
	const char *path; /* as on the wire, without the query */
	const struct mue_route *route;
	struct mue_identity who;
	const char *param_name[MUE_ROUTE_PARAMS];
	const char *param_value[MUE_ROUTE_PARAMS];
	unsigned params;
	char *body; /* buffered body, NUL-terminated; NULL when there is none */
	size_t body_len;
	void *stream_state; /* the route's stream keeps its state here */
	struct mue_response response;

	/* Private to server/http/. */
	struct MHD_Connection *connection;
	struct mue_connection *tls;
	size_t body_room;
	json_t *json;
	bool body_started, stream_open, stream_failed, done;
	int64_t started_us;
};

/* ---- what was asked ---- */

/* The value of {name}; "" when the pattern has no such name. */
const char *mue_request_param(const struct mue_request *r, const char *name);
/* {name} as a positive number: database ids.  MUE_ENOTFOUND when it is none. */
int mue_request_id(const struct mue_request *r, const char *name, int64_t *ret,
		   struct mue_error *e);
/* Query parameter, percent-decoded; NULL when absent. */
const char *mue_request_query(const struct mue_request *r, const char *name);
/* Query parameter as a number in min..max; `otherwise` when absent.  MUE_EINVAL. */
int mue_request_query_int(const struct mue_request *r, const char *name, int64_t min, int64_t max,
			  int64_t otherwise, int64_t *ret, struct mue_error *e);
/* Header, name in any case; NULL when absent. */
const char *mue_request_header(const struct mue_request *r, const char *name);
/* The body as JSON (duplicate keys refused); from a device also CBOR.  The request owns *ret.
 * MUE_EFORMAT. */
int mue_request_json(struct mue_request *r, json_t **ret, struct mue_error *e);
/* "https://host:port" for links, from X-Forwarded-Proto/-Host/-Port, else Host, else the listener's
 * address and port as the client reached them.  Lives as long as the request. */
const char *mue_request_base(struct mue_request *r);

/* ---- the answer ---- */

/* `json` is stolen.  Returns 0 or MUE_ENOMEM. */
int mue_respond_json(struct mue_request *r, unsigned status, json_t *json);
/* `body` must live as long as the request (arena) or for ever. */
int mue_respond_text(struct mue_request *r, unsigned status, const char *type, const char *body);
int mue_respond_empty(struct mue_request *r, unsigned status);
/* hawkBit's error body {errorCode, exceptionClass, message}; texts are copied. */
int mue_respond_error(struct mue_request *r, unsigned status, const char *error_code,
		      const char *exception_class, const char *message);
/* Adds a header; both strings must live as long as the request.  Past the limit it is dropped. */
void mue_respond_header(struct mue_request *r, const char *name, const char *value);
/* The open file `fd` of `size` bytes (owned from now on): 200, 206, 304, 412 or 416 by the Range,
 * If-Range, If-Match and If-None-Match headers (RFC 9110 sections 13 and 14).  `etag` without
 * quotes. */
int mue_respond_file(struct mue_request *r, int fd, uint64_t size, const char *type,
		     const char *etag);

/* The HTTP status of a verdict: MUE_ENOTFOUND 404, MUE_EAUTH 401, MUE_EPERM 403, MUE_EEXIST and
 * MUE_ECONFLICT 409, MUE_ESIZE 413, MUE_EBUSY 429, MUE_ENOSPC 507, other refusals of input 400,
 * failures 500. */
unsigned mue_verdict_status(int verdict);
/* Sets the answer for a verdict: hawkBit's error body. */
int mue_respond_verdict(struct mue_request *r, const struct mue_error *e);

/* ---- the table ---- */

struct mue_router;

/* Compiles tables of routes (each ended by a line with method NULL); the tables are kept. */
int mue_router_new(const struct mue_route *const *tables, unsigned count, struct mue_router **ret,
		   struct mue_error *e);
void mue_router_free(struct mue_router *router);
/* Finds the route and fills r->route and r->param_*.  MUE_ENOTFOUND: no such path.  MUE_EPROTOCOL:
 * the path exists, not with this method (405). */
int mue_router_match(const struct mue_router *router, struct mue_request *r);

#endif
