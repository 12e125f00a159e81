# nbgrader: a cell of autograder tests, worth 5 points. Its last line is the grade, what it prints the feedback. GRADCHECKD_URL is set.
import gradcheckd as gc
grads = backward(params, X, Y)
try:
    grade = gc.check(NETWORK, params, X, Y, grads).credit(5)
except (gc.Problem, gc.Unavailable) as error:
    print("Not graded:", error)
    grade = float("inf")  # more than there is: nbgrader reports an error, and gives no grade
grade
