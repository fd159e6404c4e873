# Twin: aetherops/core/_pure/resilience/guards.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
# One file: guarded functions and coroutines call CallGuard's inline methods, and a call across
# modules goes through a pointer.
# cython: nonecheck=True
"""Calls through a circuit breaker: permit, call, verdict.

Two slots of the types here are set by hand, since Cython offers no way to them:

- vectorcall, so that a guarded function passes its arguments on where they lie, without a tuple;
- tp_iternext of a guarded coroutine, so that its result leaves without a traceback being built.
"""

import functools
import time
import warnings
from types import MethodType

from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from cython cimport final

from aetherops.core._native.monotonic cimport monotonic_ns
from aetherops.core._native.resilience.breaker cimport NEUTRAL, REFUSED, SUCCESS, BreakerKernel

from aetherops.errors import InvalidInputError


cdef extern from *:
    """
    static inline PyObject *owned(PyObject *reference) { return reference; }
    """
    object owned(PyObject *)        # a new reference taken over; NULL is the error that stands


cdef extern from "Python.h":
    ctypedef object (*vectorcallfunc)(object, PyObject *const *, size_t, PyObject *)
    ctypedef PyObject *(*iternextfunc)(PyObject *) noexcept
    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT

    object PyObject_Vectorcall(object, PyObject *const *, size_t, PyObject *)
    PyObject *vectorcall "PyObject_Vectorcall"(object, PyObject *const *, size_t, PyObject *)
    PySendResult PyIter_Send(object, PyObject *, PyObject **) except PYGEN_ERROR
    bint PyCoro_CheckExact(object)
    bint is_none "Py_IsNone"(PyObject *)
    void PyErr_SetObject(PyObject *, PyObject *) noexcept
    PyObject *PyObject_CallOneArg(PyObject *, PyObject *) noexcept
    bint PyTuple_Check(PyObject *) noexcept
    bint PyExceptionInstance_Check(PyObject *) noexcept
    PyObject *PyExc_StopIteration
    PyObject *none "Py_None"

    ctypedef struct TypeSlots "PyTypeObject":
        Py_ssize_t tp_vectorcall_offset
        unsigned long tp_flags
        iternextfunc tp_iternext
    unsigned long Py_TPFLAGS_HAVE_VECTORCALL


@final
cdef class CallGuard:
    """CallGuard(kernel, clock, classify, classifies_results, publish, refusal)\n--\n
    What every guarded call passes, on its way in and on its way out.

    Parameters
    ----------
    kernel : decides.
    clock : monotonic nanoseconds.
    classify : ``(result, error, duration_ns) -> verdict`` of a call that ended.
    classifies_results : whether a call that returned may be anything but a success.
    publish : called after transitions, outside any lock.
    refusal : ``(state, wait_ns) -> exception`` for a call that gets no permit.

    Attributes
    ----------
    observe : ``(verdict, duration_ns, now_ns)`` of each outcome and (as -1) each refusal, or None.
    """

    cdef BreakerKernel kernel
    cdef object clock
    cdef bint is_monotonic_ns       # the clock is time.monotonic_ns: no call through Python
    cdef object classify
    cdef bint classifies_results
    cdef object publish
    cdef object refusal
    cdef public object observe

    def __init__(
        self, BreakerKernel kernel not None, clock, classify, bint classifies_results,
        publish, refusal
    ):
        self.kernel = kernel
        self.clock = clock
        self.is_monotonic_ns = clock is time.monotonic_ns
        self.classify = classify
        self.classifies_results = classifies_results
        self.publish = publish
        self.refusal = refusal

    def admit(self):
        """A permit for one call: its generation and its start on the clock.

        Raises
        ------
        Exception
            What ``refusal`` makes, where the breaker admits no call now.
        """
        cdef long long start_ns = self.now_ns()
        cdef long long generation = self.enter(start_ns)
        if generation == REFUSED:
            owned(NULL)
        return generation, start_ns

    def returned(self, long long generation, long long start_ns, result):
        """End a call that returned; what became of it (:meth:`BreakerKernel.settle`)."""
        return self.leave(generation, start_ns, result)

    def raised(self, long long generation, long long start_ns, error):
        """End a call that raised; cancellation and exits are neutral."""
        cdef long long now_ns = self.now_ns()
        cdef int verdict = NEUTRAL
        if isinstance(error, Exception):
            verdict = self.classified(generation, start_ns, now_ns, None, error)
        return self.settle(generation, start_ns, verdict, now_ns)

    def call(self, function, /, *args, **kwargs):
        """The function's result, the call guarded."""
        cdef long long start_ns = self.now_ns()
        cdef long long generation = self.enter(start_ns)
        if generation == REFUSED:
            owned(NULL)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            self.raised(generation, start_ns, error)
            raise
        return self.checked(function, generation, start_ns, result)

    def drive(self, awaitable):
        """The awaitable's result, the permit taken when it begins to run."""
        return guard_call(self, awaitable)

    def call_async(self, function, tuple args not None, dict kwargs not None):
        """The result of what the function returns to await; it is called once there is a permit."""
        cdef GuardedCall call = GuardedCall.__new__(GuardedCall)
        call.guard = self
        call.pending = (function, args, kwargs)
        return call

    cdef inline long long now_ns(self) except? -1:
        if self.is_monotonic_ns:
            return monotonic_ns()
        return self.clock()

    cdef inline long long enter(self, long long start_ns) except -2:
        """A generation, or REFUSED with the refusal standing as the error."""
        cdef long long generation = self.kernel.give_permit(start_ns)
        if self.kernel.moved:
            self.publish()
        if generation == REFUSED:
            self.refuse(start_ns)
        return generation

    cdef int refuse(self, long long start_ns) except -1:
        if self.observe is not None:
            self.observe(REFUSED, 0, start_ns)
        error = self.refusal(self.kernel.state, self.kernel.wait_ns(start_ns))
        # Not `raise`: a traceback entry a level would cost more than the rest of a refusal.
        kind = type(error)
        PyErr_SetObject(<PyObject *>kind, <PyObject *>error)
        return 0

    cdef int fail(self, long long generation, long long start_ns) except -1:
        """Settle by the error that stands, and leave it standing."""
        try:
            owned(NULL)
        except BaseException as error:
            self.raised(generation, start_ns, error)
            raise
        return 0

    cdef inline object checked(
        self, function, long long generation, long long start_ns, result
    ):
        if PyCoro_CheckExact(result) or type(result) is GuardedCall:
            # It has not run yet: counted as a result, its failure would pass for a success.
            result.close()
            self.settle(generation, start_ns, NEUTRAL, self.now_ns())
            raise InvalidInputError(
                "function", function, "one that returns its result (await call_async instead)"
            )
        self.leave(generation, start_ns, result)
        return result

    cdef inline int leave(self, long long generation, long long start_ns, result) except -2:
        cdef long long now_ns = self.now_ns()
        cdef int verdict = SUCCESS
        if self.classifies_results:
            verdict = self.classified(generation, start_ns, now_ns, result, None)
        return self.settle(generation, start_ns, verdict, now_ns)

    cdef int classified(
        self, long long generation, long long start_ns, long long now_ns, result, error
    ) except -2:
        try:
            return self.classify(result, error, now_ns - start_ns)
        except BaseException:
            # A detector that fails must not keep the permit.
            self.settle(generation, start_ns, NEUTRAL, now_ns)
            raise

    cdef inline int settle(
        self, long long generation, long long start_ns, int verdict, long long now_ns
    ) except -2:
        cdef int settled = self.kernel.end_call(generation, start_ns, verdict, now_ns)
        if self.kernel.moved:
            self.publish()
        if self.observe is not None:
            self.observe(settled, now_ns - start_ns, now_ns)
        return settled


@final
cdef class GuardedFunction:
    """A function, each of its calls through the guard; binds to instances as functions do."""

    cdef vectorcallfunc vectorcall
    cdef CallGuard guard
    cdef object function
    cdef dict __dict__
    cdef object __weakref__

    def __call__(self, *args, **kwargs):
        return self.guard.call(self.function, *args, **kwargs)

    def __get__(self, instance, owner):
        return self if instance is None else MethodType(self, instance)

    def __repr__(self):
        return f"<guarded {self.function!r}>"

    def __reduce__(self):
        return self.__qualname__  # by name, as functions are


@final
cdef class GuardedCoroutineFunction:
    """A coroutine function, each of its runs through the guard from its first step on."""

    cdef vectorcallfunc vectorcall
    cdef CallGuard guard
    cdef object function
    cdef dict __dict__
    cdef object __weakref__

    def __call__(self, *args, **kwargs):
        return guard_call(self.guard, self.function(*args, **kwargs))

    def __get__(self, instance, owner):
        return self if instance is None else MethodType(self, instance)

    def __repr__(self):
        return f"<guarded {self.function!r}>"

    def __reduce__(self):
        return self.__qualname__  # by name, as functions are


cdef enum:
    NEW = 0
    RUNNING = 1
    ENDED = 2


@final
cdef class GuardedCall:
    """A coroutine around another one, which holds a permit from its first step to its end."""

    cdef CallGuard guard
    cdef object coroutine       # made of the pending call's result where there is one
    cdef tuple pending          # (function, args, kwargs), called once there is a permit
    cdef object __weakref__
    cdef long long generation
    cdef long long start_ns
    cdef int stage

    def __await__(self):
        return self

    def __next__(self):
        return self.send(None)  # only by name: the slot is take_step

    def send(self, value):
        """Run to the next await, or to the end by StopIteration."""
        cdef PyObject *out = NULL
        cdef int status = advance(self, <PyObject *>value, &out)
        result = <object>out
        Py_XDECREF(out)
        if status == PYGEN_RETURN:
            raise StopIteration(result)
        return result

    def throw(self, *error):
        """Raise the error where the coroutine waits, then go on as :meth:`send` does."""
        if self.stage != RUNNING:
            if self.coroutine is None and self.stage == NEW:
                self.coroutine = waiting_for(None)
            elif self.coroutine is None:
                raise RuntimeError("cannot reuse already awaited coroutine")
            self.stage = ENDED
            return self.coroutine.throw(*error)
        try:
            return self.coroutine.throw(*error)
        except StopIteration as stop:
            self.stage = ENDED
            self.guard.leave(self.generation, self.start_ns, stop.value)
            raise
        except BaseException as raised:
            self.stage = ENDED
            self.guard.raised(self.generation, self.start_ns, raised)
            raise

    def close(self):
        """End it where it waits; a permit it holds is given back."""
        cdef int stage = self.stage
        self.stage = ENDED
        if self.coroutine is None:
            return
        try:
            self.coroutine.close()
        except BaseException as error:
            if stage == RUNNING:
                self.guard.raised(self.generation, self.start_ns, error)
            raise
        if stage == RUNNING:
            self.guard.settle(self.generation, self.start_ns, NEUTRAL, self.guard.now_ns())

    # No freelist: the interpreter finalises an object that it reuses only once.
    def __del__(self):
        if self.stage == RUNNING:
            self.close()
        elif self.stage == NEW and self.coroutine is None and self.pending is not None:
            warnings.warn(
                f"coroutine {self.pending[0]!r} was never awaited", RuntimeWarning, source=self
            )

    @property
    def __name__(self):
        return named(self).__name__

    @property
    def __qualname__(self):
        return named(self).__qualname__

    def __repr__(self):
        return f"<guarded {named(self)!r}>"


cdef object named(GuardedCall call):
    return call.pending[0] if call.coroutine is None else call.coroutine


cdef int begin(GuardedCall call) except -1:
    cdef CallGuard guard = call.guard
    if call.stage == ENDED:
        raise RuntimeError("cannot reuse already awaited coroutine")
    call.start_ns = guard.now_ns()
    try:
        call.generation = guard.enter(call.start_ns)
        if call.generation == REFUSED:
            owned(NULL)
    except BaseException:
        call.stage = ENDED
        if call.coroutine is not None:
            call.coroutine.close()
        raise
    call.stage = RUNNING
    if call.coroutine is None:
        make_coroutine(call)
    return 0


cdef int make_coroutine(GuardedCall call) except -1:
    cdef tuple args
    cdef dict kwargs
    function, args, kwargs = call.pending
    call.pending = (function,)      # for its name; what it was given lives no longer than the call
    try:
        call.coroutine = as_coroutine(function(*args, **kwargs))
    except BaseException as error:
        call.stage = ENDED
        call.guard.raised(call.generation, call.start_ns, error)
        raise
    return 0


cdef int advance(GuardedCall call, PyObject *value, PyObject **out) except -1:
    cdef int status
    if call.stage != RUNNING:
        begin(call)
    try:
        status = PyIter_Send(call.coroutine, value, out)
    except BaseException as error:
        call.stage = ENDED
        call.guard.raised(call.generation, call.start_ns, error)
        raise
    if status == PYGEN_RETURN:
        call.stage = ENDED
        try:
            call.guard.leave(call.generation, call.start_ns, <object>out[0])
        except BaseException:
            Py_XDECREF(out[0])
            raise
    return status


ctypedef int (*advance_function)(GuardedCall, PyObject *, PyObject **) noexcept


cdef PyObject *take_step(PyObject *call) noexcept:
    # Calls `advance` as if it could not raise: an error that it left is the caller's to find.
    cdef PyObject *out = NULL
    cdef int status = (<advance_function>advance)(<GuardedCall>call, none, &out)
    if status == PYGEN_NEXT:
        return out
    if status == PYGEN_RETURN:
        if not is_none(out):
            stop_with(out)
        Py_XDECREF(out)
    return NULL


cdef void stop_with(PyObject *value) noexcept:
    # A tuple would be unpacked into arguments, an exception taken for the one to raise.
    cdef PyObject *stop
    if PyTuple_Check(value) or PyExceptionInstance_Check(value):
        stop = PyObject_CallOneArg(PyExc_StopIteration, value)
        if stop != NULL:
            PyErr_SetObject(PyExc_StopIteration, stop)
            Py_XDECREF(stop)
    else:
        PyErr_SetObject(PyExc_StopIteration, value)


async def waiting_for(awaitable):
    return await awaitable


cdef inline object as_coroutine(awaitable):
    return awaitable if PyCoro_CheckExact(awaitable) else waiting_for(awaitable)


cdef GuardedCall guard_call(CallGuard guard, awaitable):
    cdef GuardedCall call = GuardedCall.__new__(GuardedCall)
    call.guard = guard
    call.coroutine = as_coroutine(awaitable)
    return call


cdef PyObject *call_function(
    PyObject *called, PyObject *const *args, size_t count, PyObject *names
) noexcept:
    # As take_step: a refusal that is left standing costs half of one that is raised here.
    cdef GuardedFunction self = <GuardedFunction>called
    cdef long long start_ns = 0
    cdef long long generation = (<admit_function>admit)(self.guard, &start_ns)
    if generation < 0:
        return NULL
    return (<run_function>run)(self, generation, start_ns, args, count, names)


ctypedef long long (*admit_function)(CallGuard, long long *) noexcept
ctypedef PyObject *(*run_function)(
    GuardedFunction, long long, long long, PyObject *const *, size_t, PyObject *
) noexcept


cdef inline long long admit(CallGuard guard, long long *start_ns) except -2:
    start_ns[0] = guard.now_ns()
    return guard.enter(start_ns[0])


cdef inline object run(
    GuardedFunction self,
    long long generation,
    long long start_ns,
    PyObject *const *args,
    size_t count,
    PyObject *names,
):
    # Without `try`: saving the error that is being handled would cost each call 6 ns.
    cdef PyObject *result = vectorcall(self.function, args, count, names)
    if result == NULL:
        self.guard.fail(generation, start_ns)
    return self.guard.checked(self.function, generation, start_ns, owned(result))


cdef object call_coroutine_function(
    object called, PyObject *const *args, size_t count, PyObject *names
):
    cdef GuardedCoroutineFunction self = <GuardedCoroutineFunction>called
    return guard_call(self.guard, PyObject_Vectorcall(self.function, args, count, names))


def guard_function(CallGuard guard not None, function):
    """The function, each of its calls through the guard."""
    cdef GuardedFunction guarded = GuardedFunction.__new__(GuardedFunction)
    guarded.guard, guarded.function = guard, function
    guarded.vectorcall = <vectorcallfunc>call_function
    return functools.update_wrapper(guarded, function)


# What inspect reads to tell a coroutine function, beside what a wrapper always takes over.
_CODE = ("__code__", "__defaults__", "__kwdefaults__")


def guard_coroutine_function(CallGuard guard not None, function):
    """The coroutine function, each of its runs through the guard from its first step on."""
    cdef GuardedCoroutineFunction guarded
    guarded = GuardedCoroutineFunction.__new__(GuardedCoroutineFunction)
    guarded.guard, guarded.function = guard, function
    guarded.vectorcall = <vectorcallfunc>call_coroutine_function
    return functools.update_wrapper(guarded, function, functools.WRAPPER_ASSIGNMENTS + _CODE)


cdef void set_slots() noexcept:
    # An instance tells where its vectorcall stands in the object.
    cdef GuardedFunction function = GuardedFunction.__new__(GuardedFunction)
    cdef GuardedCoroutineFunction coroutine = GuardedCoroutineFunction.__new__(
        GuardedCoroutineFunction
    )
    cdef TypeSlots *functions = <TypeSlots *>GuardedFunction
    cdef TypeSlots *coroutines = <TypeSlots *>GuardedCoroutineFunction
    functions.tp_vectorcall_offset = <char *>&function.vectorcall - <char *><PyObject *>function
    coroutines.tp_vectorcall_offset = <char *>&coroutine.vectorcall - <char *><PyObject *>coroutine
    functions.tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL
    coroutines.tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL
    (<TypeSlots *>GuardedCall).tp_iternext = take_step


set_slots()
