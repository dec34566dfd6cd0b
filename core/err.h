/*
 * err.h - every verdict Mue can give, one list for all programs.
 *
 * 0 is success, negatives are verdicts; positive return values stay free for counts.
 * The numbers are wire format (boot records, reports, exit codes derive from them): never
 * renumber, only append.  Names and texts come from the same list: mue_err_name() in host/err.h.
 */
#ifndef MUE_CORE_ERR_H
#define MUE_CORE_ERR_H

/* clang-format off */
#define MUE_ERR_LIST(X) \
	X(MUE_EIO,          -1, "storage or transport failed") \
	X(MUE_EINVAL,       -2, "argument out of range") \
	X(MUE_ENODATA,      -3, "nothing valid is stored there") \
	X(MUE_ENOSPC,       -4, "no space left for it") \
	X(MUE_EFORMAT,      -5, "not well formed") \
	X(MUE_ECANON,       -6, "not in the one deterministic form") \
	X(MUE_EPROFILE,     -7, "well formed, but outside the profile this device accepts") \
	X(MUE_EDIGEST,      -8, "digest differs") \
	X(MUE_ESIGNATURE,   -9, "no signature by a trusted key holds") \
	X(MUE_EVENDOR,     -10, "made for another vendor") \
	X(MUE_ECLASS,      -11, "made for another device class") \
	X(MUE_EOLD,        -12, "older than what is installed") \
	X(MUE_ECOUNTER,    -13, "below the rollback counter") \
	X(MUE_ESIZE,       -14, "larger than its place") \
	X(MUE_EADDRESS,    -15, "made for another slot or link address") \
	X(MUE_EPRECURSOR,  -16, "needs another version installed first") \
	X(MUE_ECONFLICT,   -17, "contradicts what was received before") \
	X(MUE_ETRUNC,      -18, "ends too early") \
	X(MUE_EEXHAUSTED,  -19, "counter or key exhausted") \
	X(MUE_EBUSY,       -20, "another operation is under way") \
	X(MUE_EPERM,       -21, "not permitted") \
	X(MUE_ENOTFOUND,   -22, "no such thing") \
	X(MUE_ETIMEOUT,    -23, "took too long") \
	X(MUE_ECANCELLED,  -24, "cancelled") \
	X(MUE_EBATTERY,    -25, "battery too low") \
	X(MUE_ELINK,       -26, "link not allowed or not there") \
	X(MUE_EHEALTH,     -27, "the new image failed its health check") \
	X(MUE_EREVERTED,   -28, "reverted to the image before") \
	X(MUE_ECONDITION,  -29, "a condition of the manifest does not hold") \
	X(MUE_EAUTH,       -30, "not authenticated") \
	X(MUE_EPROTOCOL,   -31, "the peer broke the protocol") \
	X(MUE_ENOMEM,      -32, "out of memory") \
	X(MUE_EKEY,        -33, "key unusable") \
	X(MUE_EREBOOT,     -34, "a reboot is needed first") \
	X(MUE_EEXIST,      -35, "exists already")
/* clang-format on */

enum mue_err {
	MUE_OK = 0,
#define X(name, number, text) name = number,
	MUE_ERR_LIST(X)
#undef X
};

#endif
