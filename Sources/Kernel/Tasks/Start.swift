import LaunchRecord
import LinuxABI
import Platform

/// The kernel's own start, up to the first program.
public enum Start {
    /// Brings the kernel's services up. Nothing may be allocated before.
    public static func services(
        _ information: UnsafePointer<boot_information>,
        _ operations: UnsafePointer<platform_operations>
    ) {
        boot = information
        machine = operations
        guard information.pointee.version == UInt32(PLATFORM_VERSION) else {
            panic("the platform speaks another version of the contract")
        }
        user_low_end = Layout.low.upperBound
        user_high_start = Layout.high.lowerBound
        user_high_end = Layout.high.upperBound
        FrameAllocator.start()
        TimerQueue.start()
        LoadAverage.start()
        Streams.start()
        Tasks.start()
        PathBuffers.start()
        do throws(Errno) { try VDSO.start() } catch {
            refuse("the machine has too little memory to start; give more with --memory")
        }
    }

    /// Makes the first process of the program that the launch record names, and runs it. `prepare` is
    /// called before, with the process and its text in place.
    public static func program(_ launch: Launch, prepare: (Process) -> Void) -> Never {
        do throws(Errno) {
            let (process, thread) = try Process.create()
            process.credentials = Credentials(user: launch.user, group: launch.group)
            try VFS.start(RootSettings(launch), process)
            // The start itself runs in the kernel's process, and looks paths up.
            Process.current.paths = process.paths
            defer { Process.current.paths = nil }
            process.signals.ignore(launch.ignoredSignals)
            try Execute.start(
                launch.programPath,
                arguments: try StringList(launch.arguments),
                environment: try StringList(launch.environment),
                thread: thread
            )
            prepare(process)
            thread.prepareToEnterProgram()
            Scheduler.enqueue(thread)
            Core.isHosts = launch.options.contains(.takesCores)
            Network.start()
        } catch {
            // A program that the host gave is there: what is missing is what it needs.
            let isGiven = launch.programSize > 0 && !VFS.isMountingVolumes
            endUnstarted(
                error,
                error == .noSuchFileOrDirectory && isGiven
                    ? "its interpreter is not in the root; put it there, or link statically"
                    : VFS.isMountingVolumes ? volumeReason(error) : reason(error)
            )
        }
        Scheduler.exitCurrent()
    }

    /// The program cannot be run: one line, and the status that shells give.
    private static func endUnstarted(_ error: Errno, _ reason: StaticString) -> Never {
        writeToStandardError("unirun: cannot run the program: ")
        writeToStandardError(reason)
        writeToStandardError("\n")
        endInstance(error == .noSuchFileOrDirectory ? 127 : 126)
    }

    private static func volumeReason(_ error: Errno) -> StaticString {
        switch error {
        case .readOnlyFileSystem, .notDirectory:
            "a folder of --volume has no place to be mounted at; make it where it is to be"
        default: "a folder of --volume cannot be mounted"
        }
    }

    private static func reason(_ error: Errno) -> StaticString {
        switch error {
        case .noSuchFileOrDirectory: "there is no such file in the root image"
        case .permissionDenied: "it is not executable, or its folder may not be searched"
        case .executableFormat: "it is not a program for this machine"
        case .noMemory: "the machine has too little memory for it; give more with -m"
        case .isDirectory: "it is a directory"
        case .corruptLibrary: "its interpreter is broken"
        case .argumentListTooLong: "its arguments and environment are too long"
        default: "it was refused"
        }
    }
}

extension RootSettings {
    init(_ launch: Launch) {
        self.init()
        programPath = launch.programPath
        programSize = Int(launch.programSize)
        rootImageSize = launch.options.contains(.rootImage) ? Int(launch.rootImageSize) : nil
        isReadOnly = launch.options.contains(.readOnlyRoot)
        hostname = launch.hostname
        temporaryDirectories = launch.temporaryDirectories
        volumes = launch.volumes
        workingDirectory = launch.workingDirectory
        standardStreams = launch.standardStreams
    }
}
