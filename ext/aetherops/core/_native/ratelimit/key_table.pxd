"""A hash table from keys to rows of integers, packed: what a dict of lists is to the twin.

Entries stand densely in one block, in the order of their slots; an index of 32-bit slots, open
addressed with linear probing and at most two thirds full, finds them. A removed entry's slot is
taken by the last entry, so the block never has holes. Text keys are held by reference, integers
in place. No call in here runs Python code, so each is atomic under the interpreter lock.
"""

from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memcpy, memset


cdef extern from "Python.h":
    int same_text "PyUnicode_Compare"(PyObject *left, PyObject *right)


cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define prefetch(address) __builtin_prefetch(address)
    #else
    #define prefetch(address) ((void)(address))
    #endif
    """
    void prefetch(const void *address) noexcept nogil


cdef struct Entry:
    PyObject *name      # the text, or NULL where the key is the integer `id`
    int64_t id          # the hash of the text, or the integer


cdef struct Table:
    int32_t *index      # a slot, or -1
    uint64_t size       # of the index: a power of two, or 0 before the first entry
    int shift           # 64 - log2(size): the top bits of a mixed hash choose the place
    char *entries
    Py_ssize_t stride   # bytes of an entry and its row
    Py_ssize_t count
    Py_ssize_t room     # entries that fit the block
    uint64_t secret     # keeps integer keys of a client's choice from colliding at will


cdef inline int64_t *row_of(Entry *entry) noexcept nogil:
    return <int64_t *>(entry + 1)


cdef inline Entry *entry_at(const Table *table, Py_ssize_t slot) noexcept nogil:
    return <Entry *>(table.entries + slot * table.stride)


cdef inline uint64_t home_of(const Table *table, int64_t id) noexcept nogil:
    cdef uint64_t mixed = <uint64_t>id ^ table.secret
    mixed = (mixed ^ (mixed >> 32)) * <uint64_t>0x9E3779B97F4A7C15
    return mixed >> table.shift


cdef inline bint is_key(const Entry *entry, PyObject *name, int64_t id) noexcept:
    if entry.id != id:
        return False
    if entry.name == name:
        return True
    return entry.name != NULL and name != NULL and same_text(entry.name, name) == 0


cdef inline Entry *find_entry(const Table *table, PyObject *name, int64_t id) noexcept:
    cdef uint64_t place
    cdef int32_t slot
    cdef Entry *entry
    if table.count == 0:
        return NULL
    place = home_of(table, id)
    while True:
        slot = table.index[place]
        if slot < 0:
            return NULL
        entry = entry_at(table, slot)
        if is_key(entry, name, id):
            return entry
        place = (place + 1) & (table.size - 1)


cdef inline void prefetch_place(const Table *table, int64_t id) noexcept nogil:
    if table.count:
        prefetch(&table.index[home_of(table, id)])


cdef inline void prefetch_entry(const Table *table, int64_t id) noexcept nogil:
    """Of a key whose place has been fetched before; a guess where keys collide."""
    cdef int32_t slot
    if table.count:
        slot = table.index[home_of(table, id)]
        if slot >= 0:
            prefetch(entry_at(table, slot))


cdef inline void index_slot(Table *table, int64_t id, Py_ssize_t slot) noexcept nogil:
    cdef uint64_t place = home_of(table, id)
    while table.index[place] >= 0:
        place = (place + 1) & (table.size - 1)
    table.index[place] = <int32_t>slot


cdef inline int grow_index(Table *table) except -1:
    cdef uint64_t size = 2 * table.size if table.size else 8
    cdef int shift = table.shift - 1 if table.size else 61
    cdef Py_ssize_t slot
    cdef int32_t *index = <int32_t *>PyMem_Realloc(table.index, size * sizeof(int32_t))
    if index == NULL:
        raise MemoryError()
    memset(index, 0xFF, size * sizeof(int32_t))
    table.index, table.size, table.shift = index, size, shift
    for slot in range(table.count):
        index_slot(table, entry_at(table, slot).id, slot)
    return 0


cdef inline int grow_block(Table *table, Py_ssize_t most) except -1:
    cdef Py_ssize_t room = min(table.room + table.room // 2 + 8, most)
    cdef char *entries = <char *>PyMem_Realloc(table.entries, room * table.stride)
    if entries == NULL:
        raise MemoryError()
    table.entries, table.room = entries, room
    return 0


cdef inline Entry *add_entry(
    Table *table, PyObject *name, int64_t id, Py_ssize_t most
) except NULL:
    """Append an entry for a key that is not there; `most` bounds the block. Its row is raw."""
    cdef Entry *entry
    if table.count == table.room:
        grow_block(table, most)
    if 3 * <uint64_t>(table.count + 1) > 2 * table.size:
        grow_index(table)
    entry = entry_at(table, table.count)
    if name != NULL:
        Py_INCREF(<object>name)
    entry.name, entry.id = name, id
    index_slot(table, id, table.count)
    table.count += 1
    return entry


cdef inline uint64_t place_of(const Table *table, Py_ssize_t slot) noexcept nogil:
    cdef uint64_t place = home_of(table, entry_at(table, slot).id)
    while table.index[place] != <int32_t>slot:
        place = (place + 1) & (table.size - 1)
    return place


cdef inline void free_place(Table *table, uint64_t hole) noexcept nogil:
    """Empty a place of the index, moving back the entries that probed across it."""
    cdef uint64_t mask = table.size - 1
    cdef uint64_t place = hole
    cdef uint64_t home
    while True:
        place = (place + 1) & mask
        if table.index[place] < 0:
            table.index[hole] = -1
            return
        home = home_of(table, entry_at(table, table.index[place]).id)
        if ((place - home) & mask) >= ((place - hole) & mask):
            table.index[hole] = table.index[place]
            hole = place


cdef inline void remove_slot(Table *table, Py_ssize_t slot) noexcept:
    cdef Py_ssize_t last = table.count - 1
    cdef PyObject *name = entry_at(table, slot).name
    free_place(table, place_of(table, slot))
    if slot != last:
        table.index[place_of(table, last)] = <int32_t>slot
        memcpy(entry_at(table, slot), entry_at(table, last), table.stride)
    table.count = last
    Py_XDECREF(name)


cdef inline void empty_table(Table *table) noexcept:
    """Drop every entry and give the memory back."""
    cdef Py_ssize_t slot
    for slot in range(table.count):
        Py_XDECREF(entry_at(table, slot).name)
    PyMem_Free(table.entries)
    PyMem_Free(table.index)
    table.entries, table.index = NULL, NULL
    table.size, table.count, table.room = 0, 0, 0
