/*
 * suit_command.h - inside core/suit*.c only: parameters and commands of a SUIT sequence, one at a
 * time.
 */
#ifndef MUE_CORE_SUIT_COMMAND_H
#define MUE_CORE_SUIT_COMMAND_H

#include "core/suit.h"

#define MUE_SUIT_P1_COMPONENTS 4

/* Reads SUIT_Digest = [-16, 32 bytes], exactly; ret_digest: the 32 bytes. */
int mue_suit_digest(struct mue_cbor *c, struct mue_view *ret_digest);

/* The SHA-256 of a byte string with its head: what the draft's digests are taken over. */
void mue_suit_hash_bstr(struct mue_view content, uint8_t ret[MUE_SUIT_DIGEST_SIZE]);

/* What a parameter map may hold and where its sequence flags go. */
struct mue_suit_param_scope {
	uint8_t profile;
	uint8_t components;
	bool shared; /* the shared sequence: no custom parameters */
	bool nested; /* in try-each or run-sequence: soft-failure may be set */
};

/* Reads a whole parameter map into *p; soft and strict are written when they are set. */
int mue_suit_params_read(struct mue_cbor *c, const struct mue_suit_param_scope *scope,
			 struct mue_suit_params *p, bool *soft, bool *strict);

/* The bytes of the i-th component id, of a dependency behind the list its prefix. */
int mue_suit_id_bytes(const struct mue_suit *s, uint8_t i, struct mue_view *ret);

/* Copies one parameter, by number.  MUE_EPROFILE: no such parameter. */
int mue_suit_param_copy(int64_t number, const struct mue_suit_params *from,
			struct mue_suit_params *to);

/* How a command's argument is read. */
enum mue_suit_arg {
	MUE_SUIT_ARG_CONDITION, /* reporting policy */
	MUE_SUIT_ARG_DIRECTIVE, /* reporting policy */
	MUE_SUIT_ARG_INDEX,
	MUE_SUIT_ARG_PARAMS,
	MUE_SUIT_ARG_MULTIPLE,
	MUE_SUIT_ARG_COPY,
	MUE_SUIT_ARG_TRY,
	MUE_SUIT_ARG_RUN
};

struct mue_suit_cmd {
	uint8_t code;        /* enum mue_suit_command */
	uint8_t kind;        /* enum mue_suit_arg */
	uint8_t profile;     /* least profile that has it */
	bool shared;         /* allowed in the shared sequence */
	struct mue_view arg; /* the argument's bytes */
};

/* Reads the next command and the extent of its argument. */
int mue_suit_cmd_next(struct mue_cbor *c, struct mue_suit_cmd *ret);

/* The argument of set-component-index as a mask.  MUE_EFORMAT: no such component, or an array that
 * does not rise; MUE_EPROFILE: true or an array below P2. */
int mue_suit_index(struct mue_view arg, uint8_t components, uint32_t *ret);

/* Opens a command sequence's byte string content: the cursor over its items and their number. */
int mue_suit_sequence_open(struct mue_view content, struct mue_cbor *ret, size_t *ret_items);

/* Checks a whole sequence, and those inside it, to the last argument. */
struct mue_suit_check {
	uint8_t profile;
	uint8_t components;
	bool shared, uninstall;
	bool dependencies; /* the manifest has some */
};
int mue_suit_sequence_check(struct mue_view content, const struct mue_suit_check *how);

#endif
