import Kernel
import LinuxABI
import Platform

/// Runs a handler's body for the current thread and turns its error into `-errno`, the only place
/// where that is done.
@inline(__always)
func answer(_ body: (Thread) throws(Errno) -> Int) -> Int {
    // No closure inside another: the optimizer would inline neither.
    do throws(Errno) { return try body(Thread.current) } catch { return -Int(error.rawValue) }
}
