/// The flags of clone(2) and clone3(2); the low byte of clone's argument is the exit signal.
public struct CloneFlags: OptionSet, Sendable {
    public let rawValue: UInt64

    @inline(__always)
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The bits of clone(2) that are the signal sent to the parent.
    public static var exitSignalMask: UInt64 { 0xff }

    /// CLONE_VM
    public static var addressSpace: CloneFlags { CloneFlags(rawValue: 0x100) }
    /// CLONE_FS
    public static var paths: CloneFlags { CloneFlags(rawValue: 0x200) }
    /// CLONE_FILES
    public static var descriptors: CloneFlags { CloneFlags(rawValue: 0x400) }
    /// CLONE_SIGHAND
    public static var signalActions: CloneFlags { CloneFlags(rawValue: 0x800) }
    /// CLONE_PIDFD
    public static var processDescriptor: CloneFlags { CloneFlags(rawValue: 0x1000) }
    /// CLONE_PTRACE
    public static var trace: CloneFlags { CloneFlags(rawValue: 0x2000) }
    /// CLONE_VFORK
    public static var waitForExecute: CloneFlags { CloneFlags(rawValue: 0x4000) }
    /// CLONE_PARENT
    public static var parent: CloneFlags { CloneFlags(rawValue: 0x8000) }
    /// CLONE_THREAD
    public static var thread: CloneFlags { CloneFlags(rawValue: 0x10000) }
    /// CLONE_SYSVSEM
    public static var semaphoreUndo: CloneFlags { CloneFlags(rawValue: 0x40000) }
    /// CLONE_SETTLS
    public static var setThreadPointer: CloneFlags { CloneFlags(rawValue: 0x80000) }
    /// CLONE_PARENT_SETTID
    public static var storeInParent: CloneFlags { CloneFlags(rawValue: 0x100000) }
    /// CLONE_CHILD_CLEARTID
    public static var clearInChild: CloneFlags { CloneFlags(rawValue: 0x200000) }
    /// CLONE_DETACHED
    public static var detached: CloneFlags { CloneFlags(rawValue: 0x400000) }
    /// CLONE_UNTRACED
    public static var untraced: CloneFlags { CloneFlags(rawValue: 0x800000) }
    /// CLONE_CHILD_SETTID
    public static var storeInChild: CloneFlags { CloneFlags(rawValue: 0x1000000) }
    /// CLONE_IO
    public static var inputOutput: CloneFlags { CloneFlags(rawValue: 0x8000_0000) }

    /// CLONE_CLEAR_SIGHAND
    public static var clearHandlers: CloneFlags { CloneFlags(rawValue: 0x1_0000_0000) }

    /// What a process may share or have done. Linux would let it share signal handlers as well, and have
    /// namespaces of its own.
    public static var knownOfProcesses: CloneFlags {
        [
            .addressSpace, .paths, .descriptors, .waitForExecute, .parent, .trace, .semaphoreUndo,
            .setThreadPointer, .storeInParent, .clearInChild, .detached, .untraced, .storeInChild,
            .inputOutput, .clearHandlers, .processDescriptor,
        ]
    }

    /// What a thread of the same process shares here. Linux would let a thread have working
    /// directory and descriptors of its own; here they belong to the process.
    public static var requiredOfThreads: CloneFlags {
        [.addressSpace, .paths, .descriptors, .signalActions, .thread]
    }

    public static var knownOfThreads: CloneFlags {
        [
            .requiredOfThreads, .trace, .semaphoreUndo, .setThreadPointer, .storeInParent,
            .clearInChild, .detached, .untraced, .storeInChild, .inputOutput, .parent,
        ]
    }
}

/// `struct clone_args` of clone3(2).
public struct CloneArguments: BitwiseCopyable {
    public var flags: UInt64 = 0
    public var processDescriptor: UInt64 = 0
    public var childThreadID: UInt64 = 0
    public var parentThreadID: UInt64 = 0
    public var exitSignal: UInt64 = 0
    public var stack: UInt64 = 0
    public var stackSize: UInt64 = 0
    public var threadPointer: UInt64 = 0
    public var setThreadID: UInt64 = 0
    public var setThreadIDCount: UInt64 = 0
    public var controlGroup: UInt64 = 0

    public init() {}

    /// CLONE_ARGS_SIZE_VER0
    public static var minimumSize: Int { 64 }
}
