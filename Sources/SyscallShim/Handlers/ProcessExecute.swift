import Kernel
import LinuxABI
import Platform

/// execve(2)
func sysExecute(_ frame: UnsafeMutablePointer<trap_frame>) -> Int {
    execute(
        frame,
        PathFlags.workingDirectory,
        path: frame.pointee.rdi,
        arguments: frame.pointee.rsi,
        environment: frame.pointee.rdx,
        []
    )
}

/// execveat(2)
func sysExecuteAt(_ frame: UnsafeMutablePointer<trap_frame>) -> Int {
    let flags = PathFlags(rawValue: UInt32(truncatingIfNeeded: frame.pointee.r8))
    guard flags.subtracting([.emptyPath, .noFollow]).isEmpty else {
        return -Int(Errno.invalidArgument.rawValue)
    }
    return execute(
        frame,
        Int32(truncatingIfNeeded: frame.pointee.rdi),
        path: frame.pointee.rsi,
        arguments: frame.pointee.rdx,
        environment: frame.pointee.r10,
        flags
    )
}

private func execute(
    _ frame: UnsafeMutablePointer<trap_frame>,
    _ directory: Int32,
    path address: UInt64,
    arguments argumentList: UInt64,
    environment environmentList: UInt64,
    _ flags: PathFlags
) -> Int {
    answerFrame(frame) { (_, frame) throws(Errno) in
        var path: [UInt8] = []
        _ = try withUserPath(UInt(address)) { (bytes) throws(Errno) in
            path = Array(bytes)
            return 0
        }
        let arguments = try StringList()
        try arguments.append(listAt: UInt(argumentList))
        let environment = try StringList()
        try environment.append(listAt: UInt(environmentList))
        try Execute.execute(
            path,
            in: directory,
            flags,
            arguments: arguments,
            environment: environment,
            frame: frame
        )
        return 0
    }
}

let executeRows: InlineArray<_, Row> = [
    Row(59, "execve", frame: sysExecute, .full, .path, .stringList, .stringList),
    Row(
        322,
        "execveat",
        frame: sysExecuteAt,
        .full,
        .directory,
        .path,
        .stringList,
        .stringList,
        .atFlags
    ),
]
