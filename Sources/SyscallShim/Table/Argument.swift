/// What an argument register holds, for `--strace` and for the groups of calls.
///
/// A kind whose name ends in `Result` is memory that the call writes: it is shown after the call.
public enum Argument: UInt8 {
    /// No argument; as a result: the call does not return.
    case none

    // Numbers
    case integer
    case unsigned
    case hexadecimal
    case octal
    case size
    case offset
    /// An `int` that the call writes.
    case integerResult
    /// An offset that the call reads and moves: sendfile(2).
    case offsetPointer
    case processID
    case user
    case group

    // Files
    case descriptor
    /// A descriptor or AT_FDCWD.
    case directory
    case path
    /// A path that the call writes, as long as the result says: getcwd(2).
    case pathResult
    /// Bytes that the call reads; the next argument is their number.
    case input
    /// Bytes that the call writes; the result is their number.
    case output
    case inputVector
    case outputVector
    /// Two descriptors that the call writes.
    case descriptorPair
    case openFlags
    /// The flags of pipe2(2) and dup3(2): those of open(2) without an access mode.
    case descriptorFlags
    case mode
    case accessMode
    case whence
    /// What fcntl(2) is to do; the next argument is shown as the command has it.
    case fileControl
    /// What ioctl(2) is to do; the next argument is shown as the request has it.
    case ioctlRequest
    /// FD_CLOEXEC
    case descriptorOptions
    /// A `struct flock`.
    case lockRecord
    case lockRecordResult
    case windowSize
    case windowSizeResult
    case terminal
    case terminalResult
    case atFlags
    /// A `struct stat`.
    case fileStatusResult
    case statxMask
    case statxResult
    case fileSystemStatusResult
    /// Records of getdents64(2); the result is their size in bytes.
    case directoryEntriesResult
    case allocationMode
    case renameFlags
    case attributeFlags
    case lockOperation
    case transferFlags
    case spliceFlags
    case watchEvents
    case mountFlags
    case unmountFlags
    case rangeSyncFlags
    case closeRangeFlags
    case memoryFileFlags
    /// A list of `struct pollfd`; the next argument is their number.
    case pollList
    /// An `fd_set`; the first argument of the call is the number of descriptors.
    case selectSet
    case epollOperation
    case epollEvent
    /// A list of `struct epoll_event`; the result is their number.
    case epollEventsResult
    case epollFlags
    case eventFlags
    case timerDescriptorFlags

    // Sockets
    case socketFamily
    /// A type with SOCK_CLOEXEC and SOCK_NONBLOCK.
    case socketType
    case socketFlags
    case socketLevel
    case socketOption
    /// An address; the next argument is its length.
    case socketAddress
    /// An address that the call writes; the next argument points to its length.
    case socketAddressResult
    case shutdownHow
    case messageFlags
    /// A `struct msghdr`.
    case messageHeader
    /// A `struct msghdr` of which the call fills what it points to; the result is the number of bytes.
    case messageHeaderResult

    // Memory
    case address
    case protection
    case mappingFlags
    case remapFlags
    case advice
    case synchronizeFlags
    case lockFlags

    // Tasks and signals
    case signal
    case signalSet
    case signalSetResult
    case signalAction
    case signalActionResult
    case signalStack
    case signalStackResult
    case signalInformationResult
    case maskOperation
    case cloneFlags
    case cloneArguments
    /// What futex(2) is to do; the arguments behind it are shown as the operation has them.
    case futexOperation
    case futexBits
    case stringList
    case environment
    case string
    case stringResult
    case resource
    case resourceLimit
    case resourceLimitResult
    case usageWho
    case usageResult
    case waitOptions
    case waitStatusResult
    case schedulingPolicy
    case processorSet
    case processorSetResult
    case processControl
    case architectureControl
    case systemNameResult
    case systemInformationResult
    case randomFlags

    // System V
    /// IPC_CREAT and its kin, and permissions.
    case ipcFlags
    /// A list of `struct sembuf`; the next argument is their number.
    case semaphoreOperations

    // Time
    case clock
    /// A timespec that the call reads.
    case time
    /// A timespec that the call writes.
    case timeResult
    /// A timespec that the call writes when a signal ends it: nanosleep(2).
    case timeRemaining
    /// Two timespecs: utimensat(2).
    case timePair
    /// A timeval.
    case timeValue
    case timeValueResult
    /// An itimerspec.
    case timerValue
    case timerValueResult
    /// An itimerval.
    case intervalValue
    case intervalValueResult
    case intervalKind
    case timerFlags
}
