# otter: tests/q1.py, whose failure shows the report. gradcheckd.py, which is /client.py, goes along as a file; GRADCHECKD_URL is set.
from otter.test_files import test_case

OK_FORMAT, name, points = False, "q1", 4

@test_case(points=4)
def test_backward(env):
    import gradcheckd as gc
    grads = env["backward"](env["params"], env["X"], env["Y"])
    try:
        gc.assert_gradients(env["NETWORK"], env["params"], env["X"], env["Y"], grads)
    except (gc.Problem, gc.Unavailable) as error:
        raise SystemExit("Not graded: %s" % error)  # not an Exception, which would be a failed test
