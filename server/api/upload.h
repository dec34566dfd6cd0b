/*
 * upload.h - an artifact's body, streamed to the blobs while it arrives; multipart/form-data with
 * the field "file" (and optional fields "filename", "md5sum", "sha1sum", "sha256sum", also as query
 * parameters), or the raw bytes with ?filename=.
 *
 * Use: a route with .stream = &mue_upload_stream.  Its handler calls mue_upload_finish, then
 * mue_upload_commit with the function that writes the row.  What is not committed vanishes with
 * the request.
 */
#ifndef MUE_SERVER_API_UPLOAD_H
#define MUE_SERVER_API_UPLOAD_H

#include "host/err.h"
#include "server/blobs/blobs.h"
#include "server/http/router.h"
#include "server/store/store.h"

struct mue_envelope_facts {
	bool is_envelope;           /* file name ends in .suit */
	int64_t sequence;           /* SUIT sequence number */
	char manifest[65];          /* hex digest of the manifest; "" when no envelope */
	char vendor[37], class[37]; /* UUIDs of the first component; "" when not stated */
};

struct mue_upload {
	const char *filename; /* no slash, not empty; lives as long as the request */
	struct mue_blob_info info;
	struct mue_envelope_facts facts;
};

extern const struct mue_body_ops mue_upload_stream;

/* The body is whole: checks the digests that the client named (MUE_EDIGEST), and that a .suit file
 * is an envelope that verifies against trust/ (MUE_ESIGNATURE, MUE_EFORMAT...).  *ret lives as long
 * as the request. */
int mue_upload_finish(struct mue_request *r, const struct mue_upload **ret, struct mue_error *e);

/* Runs fn as mue_store_write does (write the artifact row in it) and, in the same transaction,
 * makes the blob visible: a row never names a blob that is not there. */
int mue_upload_commit(struct mue_request *r, mue_store_fn *fn, void *arg, struct mue_error *e);

/* Removes the blob when no artifact names it any more; call it after the rows' deletion was
 * committed, never inside a store function. */
void mue_upload_collect(struct mue_server *server, const char *sha256);

/* Opens and verifies an envelope file against the keys in `trust_folder`.  *e says what is wrong.
 */
int mue_envelope_check(int fd, uint64_t size, const char *trust_folder,
		       struct mue_envelope_facts *ret, struct mue_error *e);

/* May this set be assigned to this target?  For each envelope of the set: the target's reported
 * mue.vendor and mue.class must name the envelope's where both are known (MUE_EVENDOR,
 * MUE_ECLASS); its sequence must not be below the target's mue.sequence (MUE_EOLD), unless the
 * set's metadata "mue.allow-older" gives a reason.  *e names the artifact and both values. */
int mue_assign_check(struct mue_db *db, int64_t target_id, int64_t set_id, struct mue_error *e);

#endif
