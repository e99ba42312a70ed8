import LinuxABI
import Platform

/// The world the kernel runs in, set once at the start: see platform.h.
nonisolated(unsafe) public var machine: UnsafePointer<platform_operations>! = nil
nonisolated(unsafe) public var boot: UnsafePointer<boot_information>! = nil

/// Nanoseconds of a clock or of a length of time.
public typealias Nanoseconds = UInt64

public let pageSize = 4096
public let pageMask = pageSize - 1

extension Nanoseconds {
    /// A deadline that never comes.
    public static var never: Nanoseconds { .max }
    public static var second: Nanoseconds { 1_000_000_000 }
    public static var millisecond: Nanoseconds { 1_000_000 }
}

/// The monotonic clock now.
@inline(__always)
public func now() -> Nanoseconds {
    machine.pointee.read_clock(UInt32(PLATFORM_CLOCK_MONOTONIC.rawValue))
}

/// Turns an operation's answer into its value or the error it stands for.
@inline(__always) @discardableResult
public func checked(_ answer: Int64) throws(Errno) -> Int {
    guard answer >= 0 else { throw Errno(rawValue: UInt16(truncatingIfNeeded: -answer)) }
    return Int(answer)
}

/// Ends the instance because the kernel itself is broken: one line, then exit status 125.
public func panic(_ message: StaticString) -> Never {
    message.withUTF8Buffer { text in
        writeToStandardError("unirun: kernel panic: ")
        writeToStandardError(UnsafeRawBufferPointer(text))
        writeToStandardError("\n")
    }
    // A machine shows where, and ends with the same status.
    if boot?.pointee.world == PLATFORM_VIRTUAL.rawValue { preconditionFailure() }
    endInstance(125)
}

/// Ends the instance because what it was given does not do: one line, then exit status 125.
public func refuse(_ message: StaticString) -> Never {
    writeToStandardError("unirun: ")
    writeToStandardError(message)
    writeToStandardError("\n")
    endInstance(125)
}

/// Ends the instance with an exit status.
public func endInstance(_ status: Int32) -> Never {
    machine.pointee.exit(status)
    // The operation does not return, which its type as a C function pointer cannot say.
    while true {}
}

public func writeToStandardError(_ text: StaticString) {
    text.withUTF8Buffer { writeToStandardError(UnsafeRawBufferPointer($0)) }
}

public func writeToStandardError(_ text: UnsafeRawBufferPointer) {
    var segment = platform_segment(
        base: UnsafeMutableRawPointer(mutating: text.baseAddress),
        length: UInt64(text.count)
    )
    _ = machine.pointee.stream_write(Int32(PLATFORM_STREAM_ERROR.rawValue), &segment, 1)
}
