/* The answer. */
#include "server/http/range.h"
#include "server/http/router.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void clear(struct mue_request *r)
{
	free(r->response.owned);
	r->response.owned = NULL;
	if (r->response.fd >= 0)
		close(r->response.fd);
	r->response.fd = -1;
}

static int set(struct mue_request *r, unsigned status, const char *type, const char *body,
	       size_t len)
{
	clear(r);
	r->response.status = status;
	r->response.type = type;
	r->response.body = body;
	r->response.len = len;
	return 0;
}

int mue_respond_json(struct mue_request *r, unsigned status, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (!text)
		return MUE_ENOMEM;
	set(r, status, "application/json", text, strlen(text));
	r->response.owned = text;
	return 0;
}

int mue_respond_text(struct mue_request *r, unsigned status, const char *type, const char *body)
{
	if (!body)
		return MUE_ENOMEM;
	return set(r, status, type, body, strlen(body));
}

int mue_respond_empty(struct mue_request *r, unsigned status)
{
	return set(r, status, NULL, "", 0);
}

static int respond_error(struct mue_request *r, unsigned status, const char *code,
			 const char *class, const char *message, const char *verdict)
{
	json_t *json = json_pack("{s:s, s:s, s:s#}", "errorCode", code, "exceptionClass", class,
				 "message", message, (int)strnlen(message, 1000));

	if (!json) /* a message that is not UTF-8 */
		json = json_pack("{s:s, s:s, s:s}", "errorCode", code, "exceptionClass", class,
				 "message", "see the server's log");
	if (json && verdict)
		json_object_set_new(json, "info", json_pack("{s:s}", "verdict", verdict));
	return mue_respond_json(r, status, json);
}

int mue_respond_error(struct mue_request *r, unsigned status, const char *error_code,
		      const char *exception_class, const char *message)
{
	return respond_error(r, status, error_code, exception_class, message, NULL);
}

void mue_respond_header(struct mue_request *r, const char *name, const char *value)
{
	struct mue_response *a = &r->response;

	if (a->headers == MUE_RESPONSE_HEADERS || !value)
		return;
	a->header_name[a->headers] = name;
	a->header_value[a->headers++] = value;
}

int mue_respond_file(struct mue_request *r, int fd, uint64_t size, const char *type,
		     const char *etag)
{
	struct mue_range_request q = {
		.range = strcmp(r->method, "GET") ? NULL : mue_request_header(r, "Range"),
		.if_range = mue_request_header(r, "If-Range"),
		.if_match = mue_request_header(r, "If-Match"),
		.if_none_match = mue_request_header(r, "If-None-Match"),
		.etag = etag,
		.size = size,
	};
	struct mue_range range = mue_range_decide(&q);

	mue_respond_header(r, "ETag", mue_arena_printf(&r->arena, "\"%s\"", etag));
	mue_respond_header(r, "Accept-Ranges", "bytes");
	if (range.status == 206)
		mue_respond_header(
			r, "Content-Range",
			mue_arena_printf(&r->arena, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
					 range.offset, range.offset + range.len - 1, size));
	if (range.status == 416)
		mue_respond_header(r, "Content-Range",
				   mue_arena_printf(&r->arena, "bytes */%" PRIu64, size));
	if (range.status != 200 && range.status != 206) {
		close(fd);
		return mue_respond_empty(r, range.status);
	}
	set(r, range.status, type, NULL, 0);
	r->response.fd = fd;
	r->response.file_offset = range.offset;
	r->response.file_len = range.len;
	return 0;
}

/* hawkBit's names (its enum SpServerError, spelling included), so that its clients understand. */
static const struct fault {
	int verdict;
	unsigned status;
	const char *code, *class;
} faults[] = {
	{ MUE_ENOTFOUND, 404, "hawkbit.server.error.repo.entitiyNotFound",
	  "org.eclipse.hawkbit.repository.exception.EntityNotFoundException" },
	{ MUE_EAUTH, 401, "hawkbit.server.error.insufficientpermission",
	  "org.eclipse.hawkbit.repository.exception.InsufficientPermissionException" },
	{ MUE_EPERM, 403, "hawkbit.server.error.insufficientpermission",
	  "org.eclipse.hawkbit.repository.exception.InsufficientPermissionException" },
	{ MUE_EEXIST, 409, "hawkbit.server.error.repo.entitiyAlreayExists",
	  "org.eclipse.hawkbit.repository.exception.EntityAlreadyExistsException" },
	{ MUE_ECONFLICT, 409, "hawkbit.server.error.repo.genericError",
	  "org.eclipse.hawkbit.repository.exception.GenericSpServerException" },
	{ MUE_ECANCELLED, 410, "hawkbit.server.error.repo.entitiyNotFound",
	  "org.eclipse.hawkbit.repository.exception.EntityNotFoundException" },
	{ MUE_ESIZE, 413, "hawkbit.server.error.quota.fileSizeExceeded",
	  "org.eclipse.hawkbit.repository.exception.FileSizeQuotaExceededException" },
	{ MUE_EBUSY, 429, "hawkbit.server.error.quota.tooManyEntries",
	  "org.eclipse.hawkbit.repository.exception.AssignmentQuotaExceededException" },
	{ MUE_EPROTOCOL, 405, "hawkbit.server.error.rest.methodNotAllowed",
	  "org.springframework.web.HttpRequestMethodNotSupportedException" },
	{ MUE_EFORMAT, 400, "hawkbit.server.error.rest.body.notReadable",
	  "org.eclipse.hawkbit.rest.exception.MessageNotReadableException" },
	{ MUE_EDIGEST, 400, "hawkbit.server.error.artifact.uploadFailed.checksum.sha256.match",
	  "org.eclipse.hawkbit.repository.exception.InvalidSHA256HashException" },
	{ MUE_EINVAL, 400, "hawkbit.server.error.repo.constraintViolation",
	  "javax.validation.ConstraintViolationException" },
	{ MUE_EIO, 500, "hawkbit.server.error.repo.genericError",
	  "org.eclipse.hawkbit.repository.exception.GenericSpServerException" },
	{ MUE_ENOMEM, 503, "hawkbit.server.error.repo.genericError",
	  "org.eclipse.hawkbit.repository.exception.GenericSpServerException" },
	{ MUE_ENOSPC, 507, "hawkbit.server.error.artifact.uploadFailed",
	  "org.eclipse.hawkbit.repository.exception.ArtifactUploadFailedException" },
	/* What an artifact or an assignment is refused for. */
	{ 0, 400, "hawkbit.server.error.repo.constraintViolation",
	  "javax.validation.ConstraintViolationException" },
};

static const struct fault *fault_of(int verdict)
{
	const struct fault *f = faults;

	while (f->verdict && f->verdict != verdict)
		f++;
	return f;
}

unsigned mue_verdict_status(int verdict)
{
	return fault_of(verdict)->status;
}

int mue_respond_verdict(struct mue_request *r, const struct mue_error *e)
{
	const struct fault *f = fault_of(e->code);
	const char *text = e->text[0] ? e->text : mue_err_text(e->code);

	if (f->status == 401)
		mue_respond_header(r, "WWW-Authenticate", "Basic realm=\"mue\"");
	return respond_error(r, f->status, f->code, f->class, text, mue_err_name(e->code));
}
