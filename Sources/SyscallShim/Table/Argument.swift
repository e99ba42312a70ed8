/// What an argument register holds, for `--strace` and for the groups of calls.
public enum Argument: UInt8 {
    case none

    // Numbers
    case integer
    case unsigned
    case hexadecimal
    case octal
    case size
    case offset
    case processID
    case user
    case group

    // Files
    case descriptor
    /// A descriptor or AT_FDCWD.
    case directory
    case path
    /// Bytes that the call reads; the next argument is their number.
    case input
    /// Bytes that the call writes; the result is their number.
    case output
    case inputVector
    case outputVector
    /// Two descriptors that the call writes.
    case descriptorPair
    case openFlags
    case mode
    case accessMode
    case whence
    case fileControl
    case ioctlRequest
    case atFlags
    case statistics
    case pollList
    case epollOperation
    case epollEvents

    // Memory
    case address
    case protection
    case mappingFlags
    case remapFlags
    case advice

    // Tasks and signals
    case signal
    case signalSet
    case signalAction
    case maskOperation
    case cloneFlags
    case futexOperation
    case stringList
    case string
    case resource
    case waitOptions

    // Time
    case clock
    /// A timespec that the call reads.
    case time
    /// A timespec that the call writes.
    case timeResult
}
