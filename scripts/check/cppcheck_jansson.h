/* jansson's loop as cppcheck is to see it: the system's headers are not given to it. */
#define json_object_foreach(o, k, v) for (k = "", v = (o); v; v = 0)
#define json_array_foreach(a, i, v)  for (i = 0, v = (a); v; v = 0)
