import Kernel
import LinuxABI
import Platform

/// Runs a handler's body for the current thread and turns its error into `-errno`, which is done nowhere
/// but here.
@inline(__always)
func answer(_ body: (Thread) throws(Errno) -> Int) -> Int {
    // No closure inside another: the optimizer would inline neither.
    do throws(Errno) { return try body(Thread.current) } catch { return -Int(error.rawValue) }
}

/// For a body that needs no thread, which would be counted as held meanwhile.
@inline(__always)
func answer(_ body: () throws(Errno) -> Int) -> Int {
    do throws(Errno) { return try body() } catch { return -Int(error.rawValue) }
}
